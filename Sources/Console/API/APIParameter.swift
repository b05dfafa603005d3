internal import Events

/// A parameter of a resource's query.
struct APIParameter: Sendable {
    enum Kind: Sendable {
        case text
        case integer(ClosedRange<Int>)
        /// RFC 3339, or milliseconds since 1970.
        case moment
        case boolean
        case choice([String])
    }

    var name: String
    var kind: Kind
    var summary: String

    /// What is wrong with a value; nil when nothing is.
    func flaw(_ value: String) -> String? {
        switch kind {
        case .text: value.isEmpty ? "\(name) is empty" : nil
        case .integer(let range):
            Int(value).map(range.contains) ?? false
                ? nil : "\(name) is a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .moment:
            Self.moment(value) == nil
                ? "\(name) is a time such as 2024-07-30T01:49:27Z, or milliseconds since 1970" : nil
        case .boolean: ["true", "false"].contains(value) ? nil : "\(name) is true or false"
        case .choice(let words): words.contains(value) ? nil : "\(name) is one of \(words.joined(separator: ", "))"
        }
    }

    /// Milliseconds since 1970.
    static func moment(_ text: String) -> Int64? { Int64(text) ?? Timestamp(text)?.milliseconds }
}

extension APIParameter {
    /// Records of one page.
    static let pageLimit = 1...1000
    static let usualLimit = 100

    static let cursor = APIParameter(
        name: "cursor", kind: .text, summary: "where to go on: the `next` of the page before; opaque")
    static let limit = APIParameter(
        name: "limit", kind: .integer(pageLimit), summary: "the most items of a page (100)")
    static let order = APIParameter(
        name: "order", kind: .choice(["newest", "oldest"]), summary: "which come first (newest)")
    static let since = APIParameter(
        name: "since", kind: .moment, summary: "received then or later: RFC 3339, or milliseconds since 1970")
    static let until = APIParameter(
        name: "until", kind: .moment, summary: "received before: RFC 3339, or milliseconds since 1970")
    static let source = APIParameter(name: "source", kind: .text, summary: "of this source")
    static let target = APIParameter(name: "target", kind: .text, summary: "of this target")
    static let type = APIParameter(
        name: "type", kind: .text, summary: "of this canonical type, such as visitor.signin")
    static let condition = APIParameter(
        name: "where", kind: .text, summary: "a condition in the route language, such as {site: 4567}")
    static let system = APIParameter(name: "system", kind: .boolean, summary: "Gatehouse's own events too")
    static let unmask = APIParameter(
        name: "unmask", kind: .boolean,
        summary: "personal fields in the clear, for the role operator; each such read is audited")
}
