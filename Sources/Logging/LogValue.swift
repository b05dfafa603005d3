/// A value in a log line's fields. Never a secret, never anything a visitor typed.
package enum LogValue: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByStringInterpolation
{
    case string(String)
    case integer(Int64)
    case double(Double)
    case boolean(Bool)

    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .boolean(value) }

    package init(_ value: Int) { self = .integer(Int64(value)) }
    package init(_ value: String) { self = .string(value) }

    var json: String {
        switch self {
        case .string(let text): LogLine.quoted(text)
        case .integer(let value): String(value)
        case .double(let value): value.isFinite ? String(value) : "null"
        case .boolean(let value): value ? "true" : "false"
        }
    }

    var text: String {
        switch self {
        case .string(let text) where !text.isEmpty && !text.contains(where: { $0 == " " || $0 == "\"" || $0 == "\n" }):
            text
        default: json
        }
    }
}
