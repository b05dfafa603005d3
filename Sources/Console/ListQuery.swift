/// What is listed, and which of it: the same on the command line and in the API.
package struct ListQuery: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case events, quarantine, deliveries, refusals, targets, routes, teams, trace
    }

    /// The most records `limit` may ask for; without a limit a list is read page by page, however long it is.
    package static let maximumLimit = 10_000

    package var kind: Kind
    /// The newest so many.
    package var limit: Int?
    /// Milliseconds since 1970.
    package var since: Int64?
    package var source: String?
    /// Of events: those that today's routes take there.
    package var target: String?
    /// Of routes: their team.
    package var team: String?
    package var type: String?
    /// One event, by its id; to trace: what it is looked for by.
    package var id: String?
    /// A condition in the route language (`--where`).
    package var condition: String?
    package var includesSystem = false

    package init(_ kind: Kind) {
        self.kind = kind
    }
}

/// A query as part of a URL, and back.
extension ListQuery {
    package static let prefix = "/api/v1/"

    /// Computed, as key paths are not sendable.
    private static var texts: [(name: String, path: WritableKeyPath<ListQuery, String?>)] {
        [
            ("source", \.source), ("target", \.target), ("team", \.team), ("type", \.type), ("id", \.id),
            ("where", \.condition),
        ]
    }

    /// The path and query of the API.
    package func url(after cursor: String?) -> String {
        var items: [(String, String)] = []
        if let limit { items.append(("limit", String(limit))) }
        if let since { items.append(("since", String(since))) }
        for (name, path) in Self.texts {
            if let text = self[keyPath: path] { items.append((name, text)) }
        }
        if includesSystem { items.append(("system", "true")) }
        if let cursor { items.append(("cursor", cursor)) }
        let query = items.map { "\($0.0)=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
        return Self.prefix + kind.rawValue + (query.isEmpty ? "" : "?" + query)
    }

    /// Nil for a path that lists nothing; throws for a query that makes no sense.
    package static func parse(path: String, query: String?) throws(QueryError) -> (query: ListQuery, cursor: String?)? {
        guard path.hasPrefix(prefix), let kind = Kind(rawValue: String(path.dropFirst(prefix.count))) else {
            return nil
        }
        var result = ListQuery(kind)
        var cursor: String?
        for item in (query ?? "").split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0]),
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "")
            else { throw QueryError("a %-escape in the query is wrong") }
            switch name {
            case "limit":
                guard let limit = Int(value), (1...maximumLimit).contains(limit) else {
                    throw QueryError("limit is a number from 1 to \(maximumLimit)")
                }
                result.limit = limit
            case "since":
                guard let since = Int64(value) else { throw QueryError("since is milliseconds since 1970") }
                result.since = since
            case "system": result.includesSystem = value == "true"
            case "cursor": cursor = value
            default:
                guard let text = texts.first(where: { $0.name == name }) else {
                    throw QueryError("there is no parameter \(name)")
                }
                result[keyPath: text.path] = value
            }
        }
        return (result, cursor)
    }
}

/// A query that makes no sense.
package struct QueryError: Error {
    package var message: String

    init(_ message: String) {
        self.message = message
    }
}

/// RFC 3986, section 2.1.
enum PercentEncoding {
    static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    static func decode(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(Substring(rest.prefix(2))), radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
