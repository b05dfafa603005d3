internal import Events

/// Incidents on their way to become events: many of one kind become one, and one kind makes at most one event a minute,
/// so that a flood of failures is not a flood of events. A value without clock; milliseconds of a clock that only goes
/// forward come in.
struct IncidentQueue {
    /// Between two events of one kind.
    static let intervalMs: Int64 = 60_000
    /// Dead letters come in swarms: the first of them waits for the others.
    static let gatheringMs: Int64 = 1000

    /// What is told apart.
    private struct Kind: Hashable {
        var type: CanonicalType
        var target: String?
        var source: String?
        var team: String?
        var reason: String?
    }

    private struct Entry {
        var waiting: Incident?
        /// When what waits is to become an event.
        var dueMs: Int64 = 0
        /// The next event of this kind comes no sooner.
        var restsUntilMs: Int64 = .min
    }

    private var entries: [Kind: Entry] = [:]
    private let maximumKinds: Int

    init(maximumKinds: Int = 1000) {
        self.maximumKinds = maximumKinds
    }

    /// - Returns: false when there are too many kinds to hold one more.
    mutating func add(_ incident: Incident, _ nowMs: Int64) -> Bool {
        let kind = Kind(
            type: incident.type, target: incident.target, source: incident.source, team: incident.team,
            reason: incident.reason)
        if entries[kind] == nil, entries.count >= maximumKinds {
            forgetRested(nowMs)
            guard entries.count < maximumKinds else { return false }
        }
        var entry = entries[kind] ?? Entry()
        if let earlier = entry.waiting {
            entry.waiting = incident
            if incident.type.isCounted { entry.waiting?.count = earlier.count + incident.count }
        } else {
            let gathering = incident.type == .systemDeadLetter ? Self.gatheringMs : 0
            entry.waiting = incident
            entry.dueMs = max(nowMs + gathering, entry.restsUntilMs)
        }
        entries[kind] = entry
        return true
    }

    /// Takes out what is due.
    /// - Parameter hurries: takes out everything: the program ends.
    mutating func takeDue(_ nowMs: Int64, hurries: Bool = false) -> [Incident] {
        var due: [(dueMs: Int64, incident: Incident)] = []
        for (kind, entry) in entries {
            guard let incident = entry.waiting, hurries || entry.dueMs <= nowMs else { continue }
            due.append((entry.dueMs, incident))
            entries[kind]?.waiting = nil
            entries[kind]?.restsUntilMs = nowMs + Self.intervalMs
        }
        forgetRested(nowMs)
        return due.sorted { $0.dueMs < $1.dueMs }.map(\.incident)
    }

    /// When `takeDue` has something to give; nil: not by itself.
    var dueMs: Int64? { entries.values.lazy.filter { $0.waiting != nil }.map(\.dueMs).min() }

    private mutating func forgetRested(_ nowMs: Int64) {
        entries = entries.filter { $0.value.waiting != nil || $0.value.restsUntilMs > nowMs }
    }
}

extension CanonicalType {
    /// Whether several incidents add up; otherwise the count is how things stand, and the latest is right.
    fileprivate var isCounted: Bool {
        switch self {
        case .systemDeadLetter, .systemBreakerOpened, .systemTargetDisabled: true
        default: false
        }
    }
}
