internal import Synchronization

/// All instruments of one process, rendered as Prometheus text (exposition format 0.0.4). Names begin with `gatehouse_`,
/// carry their unit, and labels never hold personal data.
package final class MetricsRegistry: Sendable {
    /// Label names and values, in the order they are written.
    package typealias Labels = [(String, String)]

    private enum Instrument {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)

        var kind: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    private struct Family {
        var help: String
        var kind: String
        /// By the rendered labels.
        var series: [String: Instrument] = [:]
        var collect: (@Sendable () -> [(Labels, Double)])?
    }

    /// More label combinations than this in one family would be a mistake of ours; further ones share the last series.
    private static let maximumSeries = 10_000

    private let families = Mutex<[String: Family]>([:])

    package init() {}

    /// The counter of that name and labels, made at first use. Names end in `_total`.
    package func counter(_ name: String, _ help: String, _ labels: Labels = []) -> Counter {
        if case .counter(let counter) = instrument(name, help, labels, make: { .counter(Counter()) }) { return counter }
        return Counter()
    }

    package func gauge(_ name: String, _ help: String, _ labels: Labels = []) -> Gauge {
        if case .gauge(let gauge) = instrument(name, help, labels, make: { .gauge(Gauge()) }) { return gauge }
        return Gauge()
    }

    /// Names end in `_seconds`.
    package func histogram(_ name: String, _ help: String, _ labels: Labels = []) -> Histogram {
        if case .histogram(let one) = instrument(name, help, labels, make: { .histogram(Histogram()) }) { return one }
        return Histogram()
    }

    /// Series whose values are asked for when the page is rendered. `kind` is `gauge` or `counter`.
    package func collected(
        _ name: String, _ help: String, kind: String = "gauge", _ collect: @escaping @Sendable () -> [(Labels, Double)]
    ) {
        families.withLock { $0[name] = Family(help: help, kind: kind, collect: collect) }
    }

    private func instrument(
        _ name: String, _ help: String, _ labels: Labels, make: () -> Instrument
    ) -> Instrument {
        let key = Self.rendered(labels)
        return families.withLock { families in
            if let found = families[name]?.series[key] { return found }
            let made = make()
            var family = families[name] ?? Family(help: help, kind: made.kind)
            if family.series.count < Self.maximumSeries { family.series[key] = made }
            families[name] = family
            return made
        }
    }

    /// The page `/metrics` shows.
    package func render() -> String {
        let snapshot = families.withLock { $0 }
        var page = ""
        for (name, family) in snapshot.sorted(by: { $0.key < $1.key }) {
            page += "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.kind)\n"
            for (labels, instrument) in family.series.sorted(by: { $0.key < $1.key }) {
                Self.append(name, labels, instrument, to: &page)
            }
            for (labels, value) in family.collect?() ?? [] {
                page += "\(name)\(Self.braced(Self.rendered(labels))) \(Self.number(value))\n"
            }
        }
        return page
    }

    private static func append(_ name: String, _ labels: String, _ instrument: Instrument, to page: inout String) {
        switch instrument {
        case .counter(let counter): page += "\(name)\(braced(labels)) \(counter.value)\n"
        case .gauge(let gauge): page += "\(name)\(braced(labels)) \(number(gauge.value))\n"
        case .histogram(let histogram):
            let (buckets, sum) = histogram.snapshot
            let prefix = labels.isEmpty ? "" : labels + ","
            var cumulative: Int64 = 0
            for (bound, count) in zip(Histogram.bounds.map(number) + ["+Inf"], buckets) {
                cumulative += count
                page += "\(name)_bucket{\(prefix)le=\"\(bound)\"} \(cumulative)\n"
            }
            page += "\(name)_sum\(braced(labels)) \(number(sum))\n\(name)_count\(braced(labels)) \(cumulative)\n"
        }
    }

    private static func braced(_ labels: String) -> String { labels.isEmpty ? "" : "{\(labels)}" }

    private static func rendered(_ labels: Labels) -> String {
        labels.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }
}
