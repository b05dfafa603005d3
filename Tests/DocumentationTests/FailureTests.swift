import Events
import Foundation
import HTTPClient
import HTTPTypes
import Kafka
import Signatures
import Testing

@testable import Delivery
@testable import EventLog
@testable import Ingest
@testable import Targets

/// Codes that people's scripts rely on, and the severities of types, compared with the code.
@Suite("The codes of the pages") struct FailureTests {
    @Test("every refusal is in the table, with its status")
    func refusals() throws {
        var expected: Set<String> = []
        for match in try Project.sources("Sources/Ingest").matches(of: /status: (\d+), code: "(\w+)"/) {
            expected.insert("\(match.1) \(match.2)")
        }
        for match in try Project.sources("Sources/HTTPServer").matches(of: /Refusal\(\s*(\d+), "(\w+)"/) {
            expected.insert("\(match.1) \(match.2)")
        }
        for code in SignatureFailure.Code.allCases { expected.insert("401 \(code.rawValue)") }
        for code in [LogFailure.Code.full, .unavailable, .tooLarge] {
            expected.insert("\(LogFailure(code, "").problem.status) \(code.rawValue)")
        }
        let rows = try Page("docs/senders.md").table("Refusals", "status", "code").rows
        #expect(Set(rows.map { "\($0[0]) \($0[1].code)" }) == expected)
        #expect(rows.count == expected.count)
    }

    @Test("every failure of a target is in the table, with whom it blames")
    func failures() throws {
        let rows = try Page("docs/targets.md").table("Failures", "code", "blame").rows
        var documented: [String: String] = [:]
        for row in rows { for code in row[0].codes { documented[code] = row[1] } }
        for code in TransportFailure.Code.allCases {
            #expect(
                documented.removeValue(forKey: code.rawValue) == FailureClassification.blame(code).rawValue, "\(code)")
        }
        for status in 300..<600 {
            let blame = try #require(FailureClassification.blame(status: status)).rawValue
            #expect((documented["http_\(status)"] ?? documented["http_…"]) == blame, "\(status)")
        }
        let sources = try Project.sources("Sources/Targets") + Project.sources("Sources/Delivery/Engine")
        var others = Set(sources.matches(of: /FileFailure\(\s*"(\w+)"/).map { String($0.1) })
        others.formUnion(sources.matches(of: /code: "([a-z_]+)"/).map { String($0.1) })
        others.formUnion(["disk_full", "connection_lost"])
        let ofTokens = documented.filter { $0.key.hasPrefix("oauth_") }
        #expect(
            Set(ofTokens.keys)
                == Set(TokenAnswer.errors.map { "oauth_\($0)" })
                .union(["oauth_bad_response", "oauth_key", "oauth_busy", "oauth_…"]))
        #expect(ofTokens.values.allSatisfy { $0 == "target" })
        others = others.filter { !$0.hasPrefix("oauth_") && TransportFailure.Code(rawValue: $0) == nil }
        let elsewhere = ["http_", "kafka_", "oauth_"]
        #expect(Set(documented.keys.filter { key in !elsewhere.contains { key.hasPrefix($0) } }) == others)
        #expect(documented["kafka_…"] == "target")
        let ofRecord = documented.filter { $0.key.hasPrefix("kafka_") && $0.value == "event" }
        #expect(Set(ofRecord.keys) == Set(KafkaFailure.codesOfRecords.map { "kafka_\($0)" }))
        let blamesEvent = ["rendering", "unreadable", "crashed", "answer_refused"]
        for code in others {
            #expect(documented[code] == (blamesEvent.contains(code) ? "event" : "target"), "\(code)")
        }
    }

    @Test("every other reason of a delivery is in its table")
    func reasons() throws {
        let rows = try Page("docs/targets.md").table("Failures", "reason", "state").rows
        let sources = try Project.sources("Sources/Delivery/Store")
        let settled = sources.matches(of: /row\.reason = .*"(\w+)" : "(\w+)"/).flatMap { [String($0.1), String($0.2)] }
        let filtered = FilteredReason.allCases.map(\.rawValue)
        #expect(
            Set(rows.map { $0[0].code }) == Set(settled + filtered + [Expiry.gaveUp, Expiry.tooOld, OpenEntry.sent]))
        #expect(settled.count == 2)
        for row in rows { #expect(DeliveryState(name: row[1]) != nil, "\(row)") }
    }

    @Test("every line of the log is in the table, with its level")
    func logEvents() throws {
        let pattern = /logger\.(info|warning|error)\(\s*"([a-z_]+)"/
        var expected: [String: String] = [:]
        for match in try Project.sources("Sources").matches(of: pattern) { expected[String(match.2)] = String(match.1) }
        var documented: [String: String] = [:]
        for row in try Page("docs/operations.md").table("Logs", "event", "level").rows {
            for code in row[0].codes { documented[code] = row[1] }
        }
        #expect(documented == expected)
    }

    @Test("every type is in the table of severities, as it is")
    func severities() throws {
        let rows = try Page("docs/formats.md").table("Types and severities", "type").rows
        let expected = CanonicalType.allCases.map { type in
            let description = EventDescription(type: type.rawValue)
            return [
                "`\(type.rawValue)`", description.name, "\(description.grade.syslogSeverity)",
                "\(description.grade.cefSeverity)", description.action, description.outcome ?? "",
            ]
        }
        #expect(rows == expected)
    }
}
