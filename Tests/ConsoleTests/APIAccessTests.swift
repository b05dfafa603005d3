import Foundation
import Testing

@testable import Console

@Suite("The console's API, by who asks")
struct APIAccessTests {
    @Test("answers nobody without a token", arguments: APIResources.all.map { [$0.method, $0.path] })
    func noToken(resource: [String]) async throws {
        let console = try ConsoleFixture()
        let place = resource[1].replacing("{id}", with: ConsoleFixture.id(1)).replacing("{name}", with: "siem")
        for headers in [[:], ["Authorization": "Basic YTpi"], ["Authorization": "Bearer"]] {
            let answer = try await console.get("/api/v1/" + place, headers: headers, method: resource[0])
            #expect(answer.status == 401)
            #expect(answer.code == "token_missing")
            #expect(answer.header("WWW-Authenticate") == "Bearer realm=\"gatehouse\"")
            #expect(answer.header("Content-Type") == "application/problem+json")
        }
    }

    @Test("takes no token but the exact one, and none from the URL")
    func wrongToken() async throws {
        let console = try ConsoleFixture()
        let token = ConsoleFixture.viewer
        for wrong in [String(token.dropLast()), token + "x", token.uppercased(), "x"] {
            let answer = try await console.get("/api/v1/events", token: wrong)
            #expect(answer.status == 401)
            #expect(answer.code == "token_wrong")
            #expect(!answer.text.contains(wrong))
        }
        #expect(try await console.get("/api/v1/events?token=\(token)").status == 401)
        #expect(try await console.get("/api/v1/events?access_token=\(token)", token: token).status == 400)
        #expect(try await console.get("/api/v1/events", token: token).status == 200)
        #expect(try await console.get("/api/v1/events", headers: ["Authorization": "bearer \(token)"]).status == 200)
    }

    @Test("makes an address wait that tries many tokens, and says how long")
    func guesses() async throws {
        let console = try ConsoleFixture()
        for number in 0..<GuessLimit.guesses {
            #expect(try await console.get("/api/v1/events", token: "guess-\(number)").status == 401)
        }
        let answer = try await console.get("/api/v1/events", token: "another-guess")
        #expect(answer.status == 429)
        #expect(answer.code == "too_many_failures")
        #expect(Int(answer.header("Retry-After") ?? "") ?? 0 > 0)
        // Not even the right one: else it would not be a bound.
        #expect(try await console.get("/api/v1/events", token: ConsoleFixture.viewer).status == 429)
        #expect(try await console.get("/healthz").status == 200)
    }

    @Test("masks what tells about people, for operators too unless they ask")
    func masked() async throws {
        let console = try ConsoleFixture()
        console.append(0..<3)
        for token in [ConsoleFixture.viewer, ConsoleFixture.operator] {
            for path in ["events", "events/\(ConsoleFixture.id(1))"] {
                let answer = try await console.get("/api/v1/" + path, token: token)
                #expect(answer.status == 200)
                #expect(!answer.text.contains("Ada"))
                #expect(answer.text.contains("***"))
            }
        }
        let audit = try await console.get("/api/v1/audit", token: ConsoleFixture.operator)
        #expect(audit.items.isEmpty)
    }

    @Test("shows personal fields to operators who ask, and writes down who did")
    func unmasked() async throws {
        let console = try ConsoleFixture()
        console.append(0..<3)
        let one = ConsoleFixture.id(1)
        let list = try await console.get("/api/v1/events?unmask=true&limit=2", token: ConsoleFixture.operator)
        let event = try await console.get("/api/v1/events/\(one)?unmask=true", token: ConsoleFixture.operator)
        #expect(list.text.contains("Ada Lovelace"), "\(list.text)")
        #expect(event.text.contains("Ada Lovelace"))
        let audit = try await console.get("/api/v1/audit?order=oldest", token: ConsoleFixture.operator).items
        #expect(audit.map { $0["actor"] as? String } == ["doer", "doer"])
        #expect(audit.map { $0["action"] as? String } == ["events.read", "events.read"])
        #expect(audit.map { $0["detail"] as? String } == ["limit=2 items=2", "items=1"])
        #expect(audit.last?["subject"] as? String == one)
    }

    @Test("writes no name down that was looked for")
    func auditedCondition() async throws {
        let console = try ConsoleFixture()
        console.append(0..<3)
        let answer = try await console.get(
            "/api/v1/events?unmask=true&where=%7Bvisitor:%20%7Bname:%20Ada%20Lovelace%7D%7D",
            token: ConsoleFixture.operator)
        #expect(answer.items.count == 3)
        let audit = try await console.get("/api/v1/audit", token: ConsoleFixture.operator)
        #expect(audit.items.count == 1)
        #expect(!audit.text.contains("Ada"))
    }

    @Test("shows nothing in the clear that it cannot write down")
    func auditUnavailable() async throws {
        let console = try ConsoleFixture(audits: false)
        console.append(0..<3)
        let answer = try await console.get("/api/v1/events?unmask=true", token: ConsoleFixture.operator)
        #expect(answer.status == 503)
        #expect(answer.code == "audit_unavailable")
        #expect(!answer.text.contains("Ada"))
    }

    @Test("refuses viewers what is the operators'")
    func viewer() async throws {
        let console = try ConsoleFixture()
        console.append(0..<3)
        let one = ConsoleFixture.id(1)
        for (path, code) in [
            ("events?unmask=true", "masked"), ("events/\(one)?unmask=true", "masked"), ("tail?unmask=true", "masked"),
            ("audit", "role"), ("teams", "role"), ("trace/1", "role"),
            ("events?where=%7Bvisitor:%20%7Bname:%20Ada%7D%7D", "personal_condition"),
            ("events?where=%7Bnot:%20%7Bpersonal:%20%7BRole:%20x%7D%7D%7D", "personal_condition"),
            ("events?where=%7Bjson:%20%7B/name:%20Ada%7D%7D", "personal_condition"),
            ("deliveries?where=%7Bhost:%20%7Bemail:%20x%7D%7D", "personal_condition"),
        ] {
            let answer = try await console.get("/api/v1/" + path, token: ConsoleFixture.viewer)
            #expect(answer.status == 403, "\(path): \(answer.text)")
            #expect(answer.code == code, "\(path)")
        }
        let numbers = try await console.numbers("events?where=%7Bvisitor:%20%7Bid:%202%7D%7D")
        #expect(numbers == [2])
    }

    /// To have an event explained that is sent along changes nothing.
    private static let acts = APIResources.all.filter { $0.method != "GET" && $0.path != "explain" }

    @Test("lets operators alone act", arguments: acts.map { ($0.method, $0.path) })
    func acting(method: String, path: String) async throws {
        let console = try ConsoleFixture()
        let place = "/api/v1/" + path.replacing("{name}", with: "siem").replacing("{id}", with: "1")
        for token in [ConsoleFixture.viewer, ConsoleFixture.london] {
            let answer = try await console.get(place, token: token, method: method)
            #expect(answer.status == 403)
            #expect(answer.code == "role")
        }
    }

    @Test("shows a team its own events, and nothing that tells of others")
    func team() async throws {
        let console = try ConsoleFixture()
        console.append(0..<30)
        let token = ConsoleFixture.london
        #expect(try await console.numbers("events?order=oldest", token: token) == Array(stride(from: 1, to: 30, by: 3)))
        #expect(
            try await console.numbers("events?limit=4", token: token)
                == stride(from: 28, through: 1, by: -3).map(\.self))
        #expect(try await console.get("/api/v1/events/\(ConsoleFixture.id(1))", token: token).status == 200)
        for path in ["events", "deliveries", "trace"] {
            #expect(try await console.get("/api/v1/\(path)/\(ConsoleFixture.id(2))", token: token).status == 404)
        }
        for path in ["refusals", "quarantine", "reconcile", "dead-letters", "dead-letters/1"] {
            let answer = try await console.get("/api/v1/\(path)", token: token)
            #expect(answer.status == 403)
            #expect(answer.code == "not_for_teams")
        }
        let teams = try await console.get("/api/v1/teams", token: token)
        #expect(teams.items.map { $0["name"] as? String } == ["london"])
        // A team that is gone sees nothing.
        console.access.adopt(
            AccessRules(tokens: [AccessToken(name: "london", role: .viewer, team: "london", token: token)]))
        #expect(try await console.get("/api/v1/events", token: token).status == 401)
    }

    @Test("takes an open console's requests from this machine only")
    func open() async throws {
        let console = try ConsoleFixture(isOpen: true)
        console.append(0..<3)
        #expect(try await console.get("/api/v1/events").status == 200)
        #expect(try await console.get("/api/v1/events?unmask=true").text.contains("Ada"))
        let audit = try await console.get("/api/v1/audit")
        #expect(audit.items.map { $0["actor"] as? String } == ["open"])
        #expect(try await console.get("/api/v1/events", token: "no-token-of-this-console").status == 401)
        #expect(try await console.get("/api/v1/audit", token: ConsoleFixture.viewer).status == 403)
        let page = try await console.get("/api/v1/events", headers: ["Origin": "http://evil.example"])
        #expect(page.status == 403)
        #expect(page.code == "foreign_page")
        let local = try await console.get("/api/v1/events", headers: ["Origin": "http://localhost:3000"])
        #expect(local.status == 200)
    }
}
