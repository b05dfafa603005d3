/// Why a text is not a JSON pointer.
package struct JSONPointerError: Error, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case missingSlash = "missing_slash"
        case invalidEscape = "invalid_escape"
    }

    package let code: Code
    package let message: String

    package var description: String { message }
}

/// A path to a value inside a JSON text (RFC 6901): `/visitor/groups/0`. The empty pointer is the whole text.
package struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
    /// The names and positions, without their escapes.
    package let tokens: [String]

    package init(_ text: String) throws(JSONPointerError) {
        if text.isEmpty {
            tokens = []
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else {
            throw JSONPointerError(
                code: .missingSlash, message: "a JSON pointer begins with `/`: write `/\(text)`")
        }
        var tokens: [String] = []
        for token in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            tokens.append(try Self.unescape(Array(token)))
        }
        self.tokens = tokens
    }

    package init(tokens: [String]) {
        self.tokens = tokens
    }

    package var description: String {
        tokens.map { token in
            "/"
                + token.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
                .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
        }.joined()
    }

    private static func unescape(_ token: [UInt8]) throws(JSONPointerError) -> String {
        var text: [UInt8] = []
        var position = 0
        while position < token.count {
            guard token[position] == UInt8(ascii: "~") else {
                text.append(token[position])
                position += 1
                continue
            }
            switch position + 1 < token.count ? token[position + 1] : 0 {
            case UInt8(ascii: "0"): text.append(UInt8(ascii: "~"))
            case UInt8(ascii: "1"): text.append(UInt8(ascii: "/"))
            default:
                throw JSONPointerError(
                    code: .invalidEscape,
                    message: "a `~` in a JSON pointer is followed by `0` (for `~`) or `1` (for `/`): write `~0`")
            }
            position += 2
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The token as a position in an array: digits without a leading zero.
    static func position(_ token: String) -> Int? {
        guard token.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else { return nil }
        guard token == "0" || token.utf8.first != UInt8(ascii: "0") else { return nil }
        return Int(token)
    }
}

extension JSONTape {
    /// The value the pointer leads to, from the root or another value; nil when there is none.
    package func value(at pointer: JSONPointer, from start: JSONIndex? = nil) -> JSONIndex? {
        var place = start ?? root
        for token in pointer.tokens {
            let next: JSONIndex?
            switch kind(place) {
            case .object: next = member(place, named: token)
            case .array: next = JSONPointer.position(token).flatMap { element(place, at: $0) }
            default: next = nil
            }
            guard let next else { return nil }
            place = next
        }
        return place
    }
}
