/// Why a text is not taken as JSON. Nothing of the text itself is in it.
package struct JSONError: Error, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case syntax
        case invalidUTF8 = "invalid_utf8"
        case tooDeep = "too_deep"
        case duplicateKey = "duplicate_key"
        case trailingContent = "trailing_content"
        case empty
        case tooLarge = "too_large"
    }

    package let code: Code
    /// The byte of the text, counted from 0 and including a byte order mark; nil when there is no one place.
    package let offset: Int?
    /// What is wrong, for people; without the place.
    package let message: String

    package init(code: Code, offset: Int?, message: String) {
        self.code = code
        self.offset = offset
        self.message = message
    }

    package var description: String {
        guard let offset else { return message }
        return "\(message) (at byte \(offset))"
    }
}
