/// Notices that unfinished events fill the log: from 80 % of `retention: size` on, and not again before they have fallen
/// below 70 %.
package struct LogFillWatch: Sendable {
    private static let tellsFrom = 0.8
    private static let restsBelow = 0.7

    private var isTold = false

    package init() {}

    /// - Parameters:
    ///   - unfinished: events of the log that some target still needs.
    ///   - kept: events of the log, finished ones too.
    ///   - bytes: what the log takes.
    ///   - limit: what it may take.
    /// - Returns: whether it is to be told of now.
    package mutating func look(unfinished: Int64, kept: Int64, bytes: Int64, limit: Int64) -> Bool {
        guard kept > 0, limit > 0 else { return false }
        let share = Double(bytes) * Double(unfinished) / Double(kept) / Double(limit)
        if share < Self.restsBelow { isTold = false }
        guard share >= Self.tellsFrom, !isTold else { return false }
        isTold = true
        return true
    }
}
