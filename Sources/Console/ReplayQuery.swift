package import Delivery
internal import JSON

/// What is to be sent once more: the same on the command line and on the control socket.
package struct ReplayQuery: Sendable, Hashable {
    /// Events a dry run lists, at most and where nothing is said.
    package static let maximumLimit = 1000
    static let usualLimit = 100

    package var target: String?
    /// Milliseconds since 1970.
    package var since: Int64?
    package var until: Int64?
    package var route: String?
    /// A condition in the route language (`--where`).
    package var condition: String?
    package var decodesAgain = false
    /// Of a dry run: events listed.
    package var limit: Int?
    /// Of a dry run: the `next` of the piece before.
    package var cursor: ReplayCursor?

    package init() {}

    package static let path = ListQuery.prefix + "replay"

    /// As the query of a URL.
    package var text: String {
        let items: [(String, String?)] = [
            ("target", target), ("since", since.map(String.init)), ("until", until.map(String.init)),
            ("route", route), ("where", condition), ("decode_again", decodesAgain ? "true" : nil),
            ("limit", limit.map(String.init)), ("cursor", cursor?.description),
        ]
        return items.compactMap { name, value in value.map { "\(name)=\(PercentEncoding.encode($0))" } }
            .joined(separator: "&")
    }

    static func parse(_ text: String?) throws(QueryError) -> ReplayQuery {
        var result = ReplayQuery()
        for item in (text ?? "").split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "") else {
                throw QueryError("a %-escape in the query is wrong")
            }
            try result.set(parts[0], value)
        }
        return result
    }

    private mutating func set(_ name: Substring, _ value: String) throws(QueryError) {
        switch name {
        case "target": target = value
        case "route": route = value
        case "where": condition = value
        case "decode_again": decodesAgain = value == "true"
        case "cursor":
            guard let place = ReplayCursor(value) else { throw QueryError("the cursor is not one of ours") }
            cursor = place
        case "since", "until", "limit":
            guard let number = Int64(value) else { throw QueryError("\(name) is a number") }
            switch name {
            case "since": since = number
            case "until": until = number
            default: limit = Int(min(max(0, number), Int64(Self.maximumLimit)))
            }
        default: throw QueryError("there is no parameter \(name)")
        }
    }

    /// - Parameter team: whose routes alone are meant; nil: all of them.
    /// - Throws: `QueryError` where something is missing, `RecordError` for a condition that cannot be read.
    func request(team: String?) throws -> ReplayRequest {
        guard let target else { throw QueryError("say which target with `target`") }
        guard let since else { throw QueryError("say from when on with `since`") }
        if let condition { _ = try EventCondition.filter(condition) }
        return ReplayRequest(
            target: target, sinceMs: since, untilMs: until, route: route, condition: condition, team: team,
            decodesAgain: decodesAgain)
    }
}

extension ReplayStatus {
    package var json: [UInt8] {
        var writer = JSONWriter()
        appendJSON(to: &writer)
        return writer.bytes
    }
}

extension ReplayRehearsal {
    var json: [UInt8] {
        var writer = JSONWriter()
        appendJSON(to: &writer)
        return writer.bytes
    }
}
