internal import EventLog

/// After a run that died, the first events are taken one by one, each noted in the state file before it is read, matched
/// or rendered: one that kills the process is found by that, and after a few deaths it is left alone.
struct CrashWatch {
    /// Steps taken with care: more than were at hand when the process died.
    static let steps = 4096

    private let store: DeliveryStore
    private let convicted: Set<Suspect>
    private var left: Int
    private var isNoted = false

    init(_ store: DeliveryStore) throws {
        self.store = store
        let (hasDied, convicted) = try store.beginRun()
        self.convicted = convicted
        left = hasDied ? Self.steps : 0
    }

    /// To be asked before the step.
    /// - Returns: false when the event is not to be touched.
    mutating func mayBegin(_ target: Int64, _ place: RecordPlace) -> Bool {
        if convicted.isEmpty, left == 0 { return true }
        let suspect = Suspect(target: target, place: place)
        if convicted.contains(suspect) { return false }
        if left > 0 {
            left -= 1
            // When it cannot be noted, delivery is worth more than the note.
            isNoted = (try? store.setAtWork(suspect)) != nil
        }
        return true
    }

    /// The steps so far did no harm.
    mutating func passed() {
        guard isNoted else { return }
        isNoted = false
        try? store.setAtWork(nil)
    }
}
