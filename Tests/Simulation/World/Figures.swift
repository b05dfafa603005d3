/// What a run met.
package struct Figures: Sendable, Equatable {
    package var events = 0
    package var steps = 0
    package var virtualSeconds = 0
    /// Operations of the disk at which a crash can come.
    package var changes = 0
    /// Requests and answers at the program's border, likewise.
    package var actions = 0
    package var crashes = 0
    package var powerCuts = 0
    package var faults = 0
    package var attempts = 0
    package var openings = 0
    /// Dead letters at the end, and those that were taken back or given up.
    package var deadLetters = 0
    package var requeued = 0
    package var discarded = 0
    package var reloads = 0
    package var replays = 0
    /// Events that replays sent once more.
    package var replayed = 0
    /// Requests of senders that were refused because unfinished events fill the log.
    package var refusedFull = 0

    package init() {}

    /// In one order, for whoever writes them down or adds them up.
    private static let all: [any WritableKeyPath<Figures, Int> & Sendable] = [
        \.events, \.steps, \.virtualSeconds, \.changes, \.actions, \.crashes, \.powerCuts, \.faults, \.attempts,
        \.openings, \.deadLetters, \.requeued, \.discarded, \.reloads, \.replays, \.replayed, \.refusedFull,
    ]

    package var values: [Int] { Self.all.map { self[keyPath: $0] } }

    /// - Returns: nil when these are not the values of figures.
    package init?(values: [Int]) {
        guard values.count == Self.all.count else { return nil }
        for (path, value) in zip(Self.all, values) { self[keyPath: path] = value }
    }

    package static func += (one: inout Figures, other: Figures) {
        for path in all { one[keyPath: path] += other[keyPath: path] }
    }
}
