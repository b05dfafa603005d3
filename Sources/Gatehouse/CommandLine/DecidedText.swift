/// What was decided of a visitor, in words.
enum DecidedText {
    /// What `decision.reason` begins with where the rules were only tried.
    private static let shadow = "shadow: "

    static func sentence(outcome: String, reason: String) -> String {
        guard reason.hasPrefix(shadow) else { return "It was decided: \(outcome), by \(reason)." }
        return "The visitor was let in, as the source only tries its rules; decided would have been: \(outcome), by "
            + "\(reason.dropFirst(shadow.count))."
    }
}
