import Console
import Testing

@Suite("A list query")
struct ListQueryTests {
    @Test("comes back from its URL as it was", arguments: ListQuery.Kind.allCases)
    func roundTrip(kind: ListQuery.Kind) throws {
        var query = ListQuery(kind)
        query.limit = 10
        query.since = 1_700_000_000_000
        query.source = "a&b=c d%/é"
        query.condition = "{site: [1, 2]}"
        query.includesSystem = true
        let url = query.url(after: "12,3")
        let parts = url.split(separator: "?", maxSplits: 1)
        let (parsed, cursor) = try #require(try ListQuery.parse(path: String(parts[0]), query: String(parts[1])))
        #expect(parsed == query)
        #expect(cursor == "12,3")
    }

    @Test("of another path is none")
    func otherPath() throws {
        #expect(try ListQuery.parse(path: "/api/v1/nothing", query: nil) == nil)
        #expect(try ListQuery.parse(path: "/events", query: nil) == nil)
    }

    @Test(
        "that makes no sense is refused",
        arguments: ["limit=0", "limit=x", "limit=100000000", "since=yesterday", "sort=up", "source=%zz", "source=%f"])
    func refused(query: String) {
        #expect(throws: QueryError.self) { try ListQuery.parse(path: "/api/v1/events", query: query) }
    }
}
