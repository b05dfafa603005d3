package import Delivery
internal import Events
internal import JSON

/// Which dead letters are meant: the same on the command line and on the control socket.
package struct DeadLetterQuery: Sendable, Hashable {
    /// Of the dead letter itself.
    package var id: Int64?
    package var event: String?
    package var target: String?
    package var reason: String?
    /// Of those that became one then, milliseconds since 1970.
    package var since: Int64?
    package var until: Int64?
    /// A condition in the route language (`--where`).
    package var condition: String?

    package init() {}

    /// Whether it says anything at all: to decide about everything, one has to name a target at least.
    package var isEmpty: Bool { self == DeadLetterQuery() }

    package static let path = ListQuery.prefix + "dead-letters"

    /// As the query of a URL; empty when everything is meant.
    package var text: String {
        let items: [(String, String?)] = [
            ("id", id.map(String.init)), ("event", event), ("target", target), ("reason", reason),
            ("since", since.map(String.init)), ("until", until.map(String.init)), ("where", condition),
        ]
        return items.compactMap { name, value in value.map { "\(name)=\(PercentEncoding.encode($0))" } }
            .joined(separator: "&")
    }

    /// - Returns: the query, and whether the events themselves are asked for.
    package static func parse(
        _ text: String?
    ) throws(QueryError) -> (query: DeadLetterQuery, isWhole: Bool, after: Int64) {
        var result = DeadLetterQuery()
        var isWhole = false
        var after: Int64 = 0
        for item in (text ?? "").split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "") else {
                throw QueryError("a %-escape in the query is wrong")
            }
            switch parts[0] {
            case "event": result.event = value
            case "target": result.target = value
            case "reason": result.reason = value
            case "where": result.condition = value
            case "whole": isWhole = value == "true"
            case "id", "since", "until", "cursor":
                guard let number = Int64(value) else { throw QueryError("\(parts[0]) is a number") }
                switch parts[0] {
                case "id": result.id = number
                case "since": result.since = number
                case "until": result.until = number
                default: after = number
                }
            default: throw QueryError("there is no parameter \(parts[0])")
            }
        }
        return (result, isWhole, after)
    }

    /// - Throws: `RecordError` for an id that is none.
    package func filter() throws -> DeadLetterFilter {
        var filter = DeadLetterFilter()
        filter.id = id
        filter.target = target
        filter.reason = reason
        filter.sinceMs = since
        filter.untilMs = until
        if let event {
            guard let id = EventID(hex: event) else { throw RecordError("an event's id is 32 hex digits") }
            filter.event = id
        }
        return filter
    }

    /// Whether a dead letter meets the condition.
    func predicate() throws -> (DeadLetterRow) -> Bool {
        guard let condition = try EventCondition(condition) else { return { _ in true } }
        return { condition.takes(payload: $0.payload) }
    }

    package static let pageSize = 200

    /// - Parameters:
    ///   - id: of the last one of the page before.
    ///   - isWhole: with the event and the receiver's answer.
    ///   - limit: dead letters looked at for one page.
    package func page(
        _ store: DeliveryStore, after id: Int64, isWhole: Bool, limit: Int = pageSize
    ) throws -> RecordPage {
        let rows = try store.deadLetters(try filter(), after: id, limit: limit)
        let lines = rows.filter(try predicate()).map { row in
            var writer = JSONWriter()
            row.appendJSON(to: &writer, isWhole: isWhole)
            return writer.bytes
        }
        return RecordPage(lines: lines, next: rows.count == limit ? rows.last.map { String($0.id) } : nil)
    }
}
