package import YAML

/// Why there is no event to try the rules on.
package struct RehearsalError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong and what to write instead.
    package var message: String
    /// The nearest name that would have been right.
    package var suggestion: String?
    /// The place of the change that is wrong; nil for what is wrong with the event as a whole.
    package var location: SourceLocation?

    package init(_ message: String, didYouMean suggestion: String? = nil, at location: SourceLocation? = nil) {
        self.message = message
        self.suggestion = suggestion
        self.location = location
    }

    package var description: String {
        message + (suggestion.map { " (did you mean \(displayable($0))?)" } ?? "")
    }
}
