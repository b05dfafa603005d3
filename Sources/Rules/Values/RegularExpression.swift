internal import CRE2

/// Why a pattern cannot be used.
struct RegularExpressionError: Error, Hashable {
    /// What is wrong, without the pattern.
    let message: String
    /// Where in the pattern, in characters (Unicode scalars) from 0; nil when it is the whole.
    let offset: Int?
}

/// A pattern of `matches:` (RE2 syntax, https://github.com/google/re2/wiki/Syntax), compiled once. It is found
/// anywhere in a text, with case, unless it says otherwise.
///
/// Sendable: RE2 expressions do not change, and any number of threads may match with one at once.
@safe final class RegularExpression: @unchecked Sendable {
    /// Bytes that one expression may take, what it remembers while matching included. Without that memory it matches
    /// more slowly, still in linear time.
    static let largestMemory: Int64 = 1 << 20

    let pattern: String
    private let handle: OpaquePointer

    init(_ pattern: String) throws(RegularExpressionError) {
        var failure = cre2_failure()
        var pattern = pattern
        let handle = pattern.withUTF8 { text in
            unsafe text.withMemoryRebound(to: CChar.self) { text in
                unsafe cre2_expression_create(text.baseAddress, text.count, Self.largestMemory, &failure)
            }
        }
        guard let handle = unsafe handle else { throw Self.error(failure, pattern) }
        self.pattern = pattern
        unsafe self.handle = handle
    }

    deinit {
        unsafe cre2_expression_destroy(handle)
    }

    /// In time linear in the text.
    func matches(_ text: [UInt8]) -> Bool {
        unsafe text.withUnsafeBytes { text in
            let characters = unsafe text.assumingMemoryBound(to: CChar.self)
            return unsafe cre2_expression_matches(handle, characters.baseAddress, characters.count)
        }
    }

    private static func error(_ failure: cre2_failure, _ pattern: String) -> RegularExpressionError {
        switch failure.status {
        case .too_large: return RegularExpressionError(message: "the pattern is too large", offset: nil)
        case .out_of_memory: return RegularExpressionError(message: "there is no memory for the pattern", offset: nil)
        default: break
        }
        let place = failure.offset
        var message = unsafe withUnsafeBytes(of: failure.message) { text in
            unsafe String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard place >= 0, place <= pattern.utf8.count else {
            return RegularExpressionError(message: message, offset: nil)
        }
        let rest = pattern.utf8.dropFirst(Int(place))
        if let reason = missingFeature(rest) { message = reason }
        return RegularExpressionError(
            message: message, offset: pattern.unicodeScalars.distance(from: pattern.startIndex, to: rest.startIndex))
    }

    /// What other dialects have and RE2 has not.
    private static func missingFeature(_ fault: Substring.UTF8View) -> String? {
        if ["(?=", "(?!", "(?<=", "(?<!"].contains(where: { fault.starts(with: $0.utf8) }) {
            return "RE2 does not look ahead or behind; ask for what the text must not have with `not:`"
        }
        if fault.first == UInt8(ascii: "\\"), let next = fault.dropFirst().first, 0x31...0x39 ~= next {
            return "RE2 does not refer back to a group"
        }
        return nil
    }
}

extension RegularExpression: Hashable {
    static func == (one: RegularExpression, other: RegularExpression) -> Bool { one.pattern == other.pattern }

    func hash(into hasher: inout Hasher) { hasher.combine(pattern) }
}
