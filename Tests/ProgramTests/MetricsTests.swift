import Foundation
import Testing

extension ProgramTests {
    @Suite("Metrics") struct MetricsTests {
        @Test("follow Prometheus' conventions and tell what happened")
        func page() async throws {
            let known = try await KnownTraffic()
            let answer = try await known.service.console("/metrics")
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            Secrets.expectNone(in: answer.text)
            let page = try MetricsPage(answer.text)
            for family in page.families { expectConventions(family) }
            expectIntake(page)
            expectTargets(page)
            let log = try #require(page.value("gatehouse_log_size_bytes"))
            #expect(log > 0)
            #expect(try #require(page.value("gatehouse_log_wal_size_bytes")) >= 0)
            #expect(page.value("gatehouse_log_available") == 1)
            #expect(await known.service.stop() == .exited(0))
        }

        private func expectConventions(_ family: MetricsPage.Family) {
            #expect(family.name.wholeMatch(of: /gatehouse_[a-z0-9]+(_[a-z0-9]+)*/) != nil, "\(family.name)")
            #expect(family.help.hasSuffix("."), "\(family.name)")
            #expect(["counter", "gauge", "histogram"].contains(family.kind), "\(family.name)")
            #expect((family.kind == "counter") == family.name.hasSuffix("_total"), "\(family.name)")
            // Base units only.
            for unit in ["_ms", "_milliseconds", "_us", "_minutes", "_kib", "_mib", "_kilobytes", "_percent"] {
                #expect(!family.name.contains(unit), "\(family.name)")
            }
            let labels = Set(family.samples.flatMap(\.labels.keys))
            #expect(
                labels.isSubset(of: [
                    "source", "vendor", "target", "code", "state", "le", "route", "method", "resource", "status",
                    "type", "mode", "outcome", "reason",
                ]),
                "\(family.name) \(labels)")
            if family.kind == "counter" {
                #expect(family.samples.allSatisfy { $0.value >= 0 }, "\(family.name)")
            } else if family.kind == "histogram" {
                expectHistogram(family)
            }
        }

        private func expectHistogram(_ family: MetricsPage.Family) {
            #expect(family.name.hasSuffix("_seconds") || family.name.hasSuffix("_bytes"), "\(family.name)")
            let series = Dictionary(grouping: family.samples) { $0.labels.filter { $0.key != "le" } }
            for (labels, samples) in series {
                let buckets = samples.filter { $0.name.hasSuffix("_bucket") }
                let bounds = buckets.map { $0.labels["le"] == "+Inf" ? .infinity : Double($0.labels["le"]!)! }
                #expect(bounds == bounds.sorted() && bounds.last == .infinity, "\(family.name) \(labels)")
                let counts = buckets.map(\.value)
                #expect(counts == counts.sorted(), "\(family.name) \(labels)")
                #expect(counts.last == samples.first { $0.name.hasSuffix("_count") }?.value, "\(family.name) \(labels)")
                #expect(samples.contains { $0.name.hasSuffix("_sum") }, "\(family.name) \(labels)")
            }
        }

        private func expectIntake(_ page: MetricsPage) {
            let accepted = ["london": 1.0, "sydney": 1, "guests": 2, "faces": 1, "lobby": 2]
            for (source, count) in accepted {
                #expect(page.value("gatehouse_events_accepted_total", ["source": source]) == count, "\(source)")
                let last = page.value("gatehouse_source_last_accepted_timestamp_seconds", ["source": source]) ?? 0
                #expect(abs(last - Date().timeIntervalSince1970) < 600, "\(source)")
            }
            #expect(page.value("gatehouse_events_duplicate_total", ["source": "london"]) == 1)
            #expect(page.value("gatehouse_events_quarantined_total", ["source": "guests"]) == 1)
            for (code, source) in [
                ("signature_mismatch", "london"), ("key_mismatch", "sydney"), ("source_unknown", ""),
            ] {
                #expect(
                    page.value("gatehouse_requests_refused_total", ["code": code, "source": source]) == 1, "\(code)")
            }
        }

        private func expectTargets(_ page: MetricsPage) {
            let expected: [String: [String: Double]] = [
                "archive": [
                    "delivered_total": 7, "filtered_total": 0, "dead_total": 0, "pending_events": 0, "lag_events": 0,
                ],
                "partner": [
                    "delivered_total": 4, "filtered_total": 2, "dead_total": 1, "pending_events": 0, "lag_seconds": 0,
                ],
            ]
            for (target, values) in expected {
                for (name, value) in values {
                    #expect(page.value("gatehouse_target_\(name)", ["target": target]) == value, "\(target) \(name)")
                }
                let count = page.value("gatehouse_target_delivery_latency_seconds_count", ["target": target])
                #expect(count == values["delivered_total"], "\(target)")
            }
            let failed = page.value(
                "gatehouse_target_attempts_failed_total", ["target": "partner", "code": "http_422"])
            #expect(failed == 1)
        }

        @Test("and health are all there is on the console's address, for GET and HEAD only")
        func nothingElse() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            #expect(try await service.console("/").status == 404)
            #expect(try await service.console("/api/v1/events").status == 401)
            #expect(try await service.console("/in/london").status == 404)
            let port = service.consolePort
            let answer = try await blocking { try RawConnection(port: port).post("/metrics", [], headers: []) }
            #expect(answer.status == 405)
            #expect(answer.headers["allow"] == "GET, HEAD")
            #expect(await service.stop() == .exited(0))
        }
    }
}
