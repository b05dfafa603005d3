import Delivery
import Foundation
import Testing

@testable import Console

/// Explains that it was asked, of which event, and what may be seen.
struct EchoingExplainer: EventExplaining {
    func explain(_ event: [UInt8], _ view: ExplanationView) throws -> [UInt8] {
        guard let object = try? JSONSerialization.jsonObject(with: Data(event)) as? [String: Any] else {
            throw RecordError("the event is not JSON")
        }
        let id = object["id"] as? String ?? "none"
        let plan = "route=\(view.route ?? "-") team=\(view.team ?? "-") masked=\(view.isMasked)"
        return Array(
            #"{"event":{"id":"\#(id)","type":null,"time":null,"source":null,"site":null},"plan":"\#(plan)","routes":[],"targets":[]}"#
                .utf8)
    }
}

@Suite("Explaining by the API")
struct ExplainTests {
    private func plan(
        _ console: ConsoleFixture, _ query: String, _ token: String, body: String? = nil
    ) async throws -> (status: Int, plan: String?, id: String?) {
        let answer =
            try await console.get(
                "/api/v1/explain" + query, token: token, method: body == nil ? "GET" : "POST", body: body)
        return (
            answer.status, answer.object["plan"] as? String,
            (answer.object["event"] as? [String: Any])?["id"] as? String
        )
    }

    @Test("an event of the log is hidden unless an operator asks for it in the clear, and that is noted")
    func ofTheLog() async throws {
        let console = try ConsoleFixture()
        console.append(0..<3)
        let id = ConsoleFixture.id(1)
        let hidden = try await plan(console, "?id=\(id)", ConsoleFixture.viewer)
        #expect(hidden == (200, "route=- team=- masked=true", id))
        let own = try await plan(console, "?id=\(id)&route=a/b", ConsoleFixture.operator)
        #expect(own == (200, "route=a/b team=- masked=true", id))
        #expect(try console.store.auditEntries(from: nil, limit: 9).entries.isEmpty)
        let clear = try await plan(console, "?id=\(id)&unmask=true", ConsoleFixture.operator)
        #expect(clear == (200, "route=- team=- masked=false", id))
        let entries = try console.store.auditEntries(from: nil, limit: 9).entries
        #expect(entries.map(\.action) == ["explain.read"] && entries.first?.detail?.contains(id) == true)
        #expect(try await plan(console, "?id=\(id)&unmask=true", ConsoleFixture.viewer).status == 403)
    }

    @Test("a team sees what its routes make of the events of its scope, and no other event")
    func team() async throws {
        let console = try ConsoleFixture()
        console.append(0..<3)
        let own = try await plan(console, "?id=\(ConsoleFixture.id(1))", ConsoleFixture.london)
        #expect(own.plan == "route=- team=london masked=true")
        #expect(try await plan(console, "?id=\(ConsoleFixture.id(2))", ConsoleFixture.london).status == 404)
        #expect(try await plan(console, "?id=\(ConsoleFixture.id(9))", ConsoleFixture.operator).status == 404)
    }

    @Test("an event that is sent along is explained too, and what makes no sense is refused")
    func sentAlong() async throws {
        let console = try ConsoleFixture()
        let sent = try await plan(console, "?route=a", ConsoleFixture.london, body: #"{"id":"x"}"#)
        #expect(sent == (200, "route=a team=london masked=true", "x"))
        #expect(try await plan(console, "", ConsoleFixture.viewer, body: "no").status == 400)
        #expect(try await plan(console, "", ConsoleFixture.viewer).status == 400)
        #expect(try await plan(console, "?id=1", ConsoleFixture.viewer, body: "{}").status == 400)
        let large = String(repeating: " ", count: (1 << 20) + 1)
        #expect(try await plan(console, "", ConsoleFixture.viewer, body: large).status == 413)
    }
}

@Suite("What is counted of the API")
struct APIMetricsTests {
    @Test("requests by resource and status, and those refused for who asked, with nothing in it that was sent")
    func counts() async throws {
        let console = try ConsoleFixture()
        console.append(0..<2)
        for path in [
            "events", "events", "events/\(ConsoleFixture.id(1))", "events/\(ConsoleFixture.id(99))", "secret-path",
        ] {
            _ = try await console.get("/api/v1/" + path, token: ConsoleFixture.viewer)
        }
        _ = try await console.get("/api/v1/events?no=1", token: ConsoleFixture.viewer)
        _ = try await console.get("/api/v1/targets/x/pause", token: ConsoleFixture.viewer, method: "POST")
        _ = try await console.get("/api/v1/events")
        for number in 0..<3 { _ = try await console.get("/api/v1/events", token: "wrong-\(number)") }
        let page = try await console.get("/metrics").text
        func value(_ labels: String, _ name: String = "gatehouse_api_requests_total") -> String? {
            page.split(separator: "\n").first { $0.hasPrefix("\(name){\(labels)} ") }.map {
                String($0.split(separator: " ").last ?? "")
            }
        }
        #expect(value(#"method="GET",resource="events",status="2xx""#) == "2")
        #expect(value(#"method="GET",resource="events",status="4xx""#) == "1")
        #expect(value(#"method="GET",resource="events/{id}",status="2xx""#) == "1")
        #expect(value(#"method="GET",resource="events/{id}",status="4xx""#) == "1")
        #expect(value(#"method="POST",resource="targets/{name}/pause",status="4xx""#) == "1")
        #expect(value(#"method="other",resource="unknown",status="4xx""#) == "1")
        #expect(value(#"code="token_missing""#, "gatehouse_api_refusals_total") == "1")
        #expect(value(#"code="token_wrong""#, "gatehouse_api_refusals_total") == "3")
        #expect(!page.contains("secret-path") && !page.contains("wrong-"))
    }
}
