import EventLog
import Foundation
import Testing

@testable import Console

@Suite("The console's API, by what is asked")
struct APIListTests {
    @Test("gives every event once, page by page, in either order", arguments: [1, 3], [1, 7, 1000])
    func paging(partitions: Int, limit: Int) async throws {
        let console = try ConsoleFixture(partitions: partitions)
        console.append(0..<40)
        let oldest = try await console.numbers("events?order=oldest&limit=\(limit)")
        let newest = try await console.numbers("events?limit=\(limit)")
        #expect(oldest.sorted() == Array(0..<40))
        #expect(newest.sorted() == Array(0..<40))
        if partitions == 1 {
            #expect(oldest == Array(0..<40))
            #expect(newest == (0..<40).reversed())
        }
    }

    @Test("stays on its page while events come", arguments: ["newest", "oldest"])
    func stable(order: String) async throws {
        let console = try ConsoleFixture()
        console.append(0..<10)
        let first = try await console.get("/api/v1/events?limit=4&order=\(order)", token: ConsoleFixture.viewer)
        console.append(10..<20)
        let cursor = try #require(first.object["next"] as? String)
        let second = try await console.get(
            "/api/v1/events?limit=4&order=\(order)&cursor=\(cursor)", token: ConsoleFixture.viewer)
        let subjects = second.items.map { $0["subject"] as? String }
        let numbers = order == "newest" ? [5, 4, 3, 2] : [4, 5, 6, 7]
        #expect(subjects == numbers.map { "visitor/\($0)" })
    }

    @Test("filters as it is told")
    func filters() async throws {
        let console = try ConsoleFixture()
        console.append(0..<5)
        console.append(5..<10, source: "lobby")
        #expect(try await console.numbers("events?order=oldest&source=lobby") == Array(5..<10))
        #expect(try await console.numbers("events?order=oldest&since=3000&until=6000") == [3, 4, 5])
        #expect(try await console.numbers("events?since=1970-01-01T00:00:03Z&until=1970-01-01T00:00:05Z") == [4, 3])
        #expect(try await console.numbers("events?type=visitor.signout") == [])
        #expect(try await console.numbers("events?order=oldest&where=%7Bsite:%202%7D") == [2, 5, 8])
        // No route takes anything there.
        #expect(try await console.numbers("events?target=siem") == [])
    }

    @Test(
        "refuses a query that makes no sense",
        arguments: [
            "events?limit=0", "events?limit=1001", "events?limit=x", "events?since=yesterday", "events?order=up",
            "events?sort=up", "events?source=", "events?limit=1&limit=2", "events?source=%FF", "events?where=%7B",
            "events?where=%7Bnofield:%201%7D", "events?cursor=x", "events?cursor=65", "deliveries?state=lost",
            "targets?limit=1", "dead-letters?limit=0", "routes?limit=1001", "tail?wait=31", "events?unmask=yes",
        ])
    func refused(path: String) async throws {
        let console = try ConsoleFixture()
        let answer = try await console.get("/api/v1/" + path, token: ConsoleFixture.operator)
        #expect(answer.status == 400)
        #expect(answer.code == "query")
    }

    @Test("takes no cursor of another list or order")
    func foreignCursor() async throws {
        let console = try ConsoleFixture()
        console.append(0..<5)
        let page = try await console.get("/api/v1/events?limit=2", token: ConsoleFixture.viewer)
        let cursor = try #require(page.object["next"] as? String)
        for path in ["events?order=oldest", "refusals?order=newest", "tail?wait=0"] {
            let answer = try await console.get("/api/v1/\(path)&cursor=\(cursor)", token: ConsoleFixture.viewer)
            #expect(answer.status == 400, "\(path)")
        }
    }

    @Test("says that a cursor's place was removed")
    func expired() async throws {
        let console = try ConsoleFixture()
        console.log.retain { console.log.head }
        console.append(0..<10)
        let page = try await console.get("/api/v1/events?limit=2&order=oldest", token: ConsoleFixture.viewer)
        let cursor = try #require(page.object["next"] as? String)
        console.log.expire(beforeMs: 8000)
        let answer = try await console.get(
            "/api/v1/events?limit=2&order=oldest&cursor=\(cursor)", token: ConsoleFixture.viewer)
        #expect(answer.status == 410)
        #expect(answer.code == "cursor_expired")
    }

    @Test("gives a list one item a line to those who ask for it")
    func lines() async throws {
        let console = try ConsoleFixture()
        console.append(0..<5)
        let answer = try await console.get(
            "/api/v1/events?limit=2", token: ConsoleFixture.viewer, headers: ["Accept": "application/x-ndjson"])
        #expect(answer.header("Content-Type") == "application/x-ndjson")
        let lines = answer.text.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.hasPrefix("{") && $0.hasSuffix("}") })
        #expect(answer.header("Gatehouse-Next") != nil)
    }

    @Test("has nothing at other paths, and takes no other method")
    func places() async throws {
        let console = try ConsoleFixture()
        for path in ["", "nothing", "events/", "events//", "events/1/2", "%65vents", "Events"] {
            let answer = try await console.get("/api/v1/" + path, token: ConsoleFixture.operator)
            // A path may be written with %-escapes.
            #expect(answer.status == (path == "%65vents" ? 200 : 404), "\(path)")
        }
        let answer = try await console.get("/api/v1/events", token: ConsoleFixture.operator, method: "DELETE")
        #expect(answer.status == 405)
        #expect(answer.header("Allow") == "GET, HEAD")
        #expect(try await console.get("/api/v1/events/nothex", token: ConsoleFixture.operator).status == 404)
    }

    @Test("is for its caller alone")
    func caching() async throws {
        let console = try ConsoleFixture()
        let answer = try await console.get("/api/v1/events", token: ConsoleFixture.operator)
        #expect(answer.header("Cache-Control") == "no-store")
        #expect(answer.header("X-Content-Type-Options") == "nosniff")
    }

    // MARK: the tail

    @Test("waits for events and gives them as they come")
    func tail() async throws {
        let console = try ConsoleFixture()
        console.append(0..<3)
        let start = try await console.get("/api/v1/tail", token: ConsoleFixture.viewer)
        #expect(start.items.isEmpty)
        let cursor = try #require(start.object["next"] as? String)
        async let waiting = console.get("/api/v1/tail?wait=30&cursor=\(cursor)", token: ConsoleFixture.viewer)
        console.append(3..<5)
        let answer = try await waiting
        let first = answer.items.map { $0["subject"] as? String }
        #expect(first.first == "visitor/3")
        #expect(!answer.text.contains("Ada"))
        let next = try #require(answer.object["next"] as? String)
        #expect(next != cursor)
        let later = try await console.get(
            "/api/v1/tail?wait=0&cursor=\(next)", token: ConsoleFixture.viewer)
        #expect(first + later.items.map { $0["subject"] as? String } == ["visitor/3", "visitor/4"])
    }

    @Test("passes over what is not asked for, and says where it got to")
    func tailFilter() async throws {
        let console = try ConsoleFixture()
        let start = try await console.get("/api/v1/tail", token: ConsoleFixture.london)
        let cursor = try #require(start.object["next"] as? String)
        console.append(0..<1)
        let answer = try await console.get("/api/v1/tail?wait=0&cursor=\(cursor)", token: ConsoleFixture.london)
        #expect(answer.items.isEmpty)
        #expect(answer.object["next"] as? String != cursor)
    }

    @Test("lets only so many wait")
    func tailBound() async throws {
        let console = try ConsoleFixture()
        let start = try await console.get("/api/v1/tail", token: ConsoleFixture.viewer)
        let cursor = try #require(start.object["next"] as? String)
        let codes = try await withThrowingTaskGroup(of: ConsoleAnswer.self) { group in
            for _ in 0..<(TailHub.maximumWaiters + 1) {
                // A client of its own each: one client opens few connections.
                let client = try ConsoleClient(console)
                group.addTask { try await client.get("/api/v1/tail?wait=30&cursor=\(cursor)") }
            }
            var codes: [Int] = []
            if let first = try await group.next() {
                codes.append(first.status)
                #expect(first.code == "busy")
                #expect(first.header("Retry-After") == "1")
            }
            console.append(0..<1)
            for try await answer in group { codes.append(answer.status) }
            return codes
        }
        #expect(codes.filter { $0 == 503 }.count == 1)
        #expect(codes.filter { $0 == 200 }.count == TailHub.maximumWaiters)
    }
}
