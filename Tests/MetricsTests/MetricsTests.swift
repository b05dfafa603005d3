import Metrics
import Testing

@Suite("The metrics page")
struct MetricsTests {
    @Test("is Prometheus text: help and type once a family, labels escaped")
    func page() {
        let registry = MetricsRegistry()
        registry.counter("gatehouse_b_total", "Bs.", [("source", "a\"b\\c\nd")]).add(3)
        registry.counter("gatehouse_b_total", "Bs.", [("source", "z")]).add()
        registry.gauge("gatehouse_a_bytes", "As.").set(1.5)
        registry.collected("gatehouse_c", "Cs.") { [([("target", "t")], 7)] }
        #expect(
            registry.render() == """
                # HELP gatehouse_a_bytes As.
                # TYPE gatehouse_a_bytes gauge
                gatehouse_a_bytes 1.5
                # HELP gatehouse_b_total Bs.
                # TYPE gatehouse_b_total counter
                gatehouse_b_total{source="a\\"b\\\\c\\nd"} 3
                gatehouse_b_total{source="z"} 1
                # HELP gatehouse_c Cs.
                # TYPE gatehouse_c gauge
                gatehouse_c{target="t"} 7

                """)
    }

    @Test("has histograms whose buckets are cumulative")
    func histogram() {
        let registry = MetricsRegistry()
        let histogram = registry.histogram("gatehouse_d_seconds", "Ds.", [("k", "v")])
        for value in [0.0001, 0.004, 0.004, 100] { histogram.observe(value) }
        let page = registry.render()
        #expect(page.contains("gatehouse_d_seconds_bucket{k=\"v\",le=\"0.0005\"} 1\n"))
        #expect(page.contains("gatehouse_d_seconds_bucket{k=\"v\",le=\"0.005\"} 3\n"))
        #expect(page.contains("gatehouse_d_seconds_bucket{k=\"v\",le=\"+Inf\"} 4\n"))
        #expect(page.contains("gatehouse_d_seconds_count{k=\"v\"} 4\n"))
    }

    @Test("gives the same instrument for the same name and labels")
    func identity() {
        let registry = MetricsRegistry()
        registry.counter("gatehouse_x_total", "Xs.").add(2)
        #expect(registry.counter("gatehouse_x_total", "Xs.").value == 2)
    }
}
