package import EventLog

/// One target's place in the log and everything it has not finished yet: a value without clock, disk or network.
///
/// What goes in: events read from the log, outcomes of attempts, the moment, an operator's wishes. What comes out: what to
/// send next, when to look again, and what to commit. Events are finished in any order; the position passes an event once
/// it is on its way, and until it ends its place is a hole that the next commit names.
package struct TargetState: Sendable {
    package internal(set) var policy: TargetPolicy
    package internal(set) var position: LogPosition
    /// The end of what was read: the backlog lies between the position and here.
    package internal(set) var readPosition: LogPosition
    package internal(set) var counters: TargetCounters
    package internal(set) var health: TargetHealth
    package internal(set) var isPaused: Bool
    package internal(set) var disabledReason: String?
    /// By configuration; a target without one is switched off as well.
    package internal(set) var isEnabled = true

    var backlog = Backlog()
    var open = OpenSet()
    var lanes = KeyLanes()
    var sent = SentWindows()
    /// Of what they took, what was finished lately.
    var finished: [FinishedDelivery] = []
    /// Connections that broke since one was found to stand.
    var breaksInARow = 0
    /// Connections break again and again: how many events may be sent and not finished.
    var careful: Int?
    /// A connection broke: the order of keys is made out anew once nothing is on its way by it.
    var awaitsBroken = false
    /// The order of what an earlier run or another configuration left is not made out yet.
    var needsLanes: Bool
    /// The next event of the log waits for one of its key, and there is no room to put it aside.
    var isFreshBlocked = false
    var bucket: TokenBucket?
    /// Events of a batch at most: fewer than the policy's after a batch was refused as a whole.
    var batchLimit: Int
    /// The last moment that was told.
    var seen: Moment
    var slots: [Slot] = []
    var freeSlots: [Int] = []
    /// Of every slot, where tickets of an earlier state under the same name may still come in.
    var firstSerial: UInt32 = 0
    /// Failed by the target's fault while it waits as a whole; each still holds its place.
    var returned: [Tried] = []
    /// Holes of an earlier run whose events have to be read from the log again.
    package internal(set) var holesToLoad: [RecordPlace]
    /// Places beside the open set that hold back a fresh start: in flight from the log, and returned.
    var windowInFlight = 0
    var openInFlight = 0
    /// Requests under way, each with the attempts in it that have not ended.
    var requests: [UInt64: Int] = [:]
    /// Requests of replays under way, which count against the same concurrency.
    package var requestsOfReplays = 0
    var lastRequest: UInt64 = 0
    /// Where events of one key may go together: keys of the request that is being put together.
    var joinable: (request: UInt64, keys: Set<UInt64>) = (0, [])
    var lastProbe: RecordPlace?
    /// New events are to be read, if there are any, before one that has failed probes again.
    var hasAskedForFresh = false
    var lastWasRetry = false
    /// No new event goes before this moment of the monotonic clock while the open set is full.
    var heldUntilMs = Int64.min
    var expiry: Expiry?
    /// Where several instances share the work: what is owned now.
    var share: PartitionShare?
    /// What was committed has not been kept elsewhere for too long: nothing more may be finished or sent.
    package var isKeeperBehind = false

    /// The request whose outcome is being taken note of, where it was of several events.
    var batchUnderway: RequestedBatch?
    var operations: [StateOperation] = []
    var operationsFootprint = 0
    /// Something a commit would write has changed.
    package internal(set) var isDirty = false
    var random: SplitMix64

    /// An event taken from the log that was tried, or is about to be.
    struct Tried: Sendable {
        var event: LoggedEvent
        var routes: RouteSet
        var tries = 0
        var firstTried: Moment?
        var record = FailureRecord()
    }

    /// An attempt under way.
    struct Slot: Sendable {
        enum Content: Sendable {
            case free
            case window(Tried)
            case open(RecordPlace)
            /// The request is still on its way; of what it was is no business of this state any more.
            case abandoned
        }

        var serial: UInt32 = 0
        var request: UInt64 = 0
        var content = Content.free
    }

    /// - Parameter seed: of the jitter.
    package init(_ restored: RestoredTarget, policy: TargetPolicy, _ now: Moment, seed: UInt64) {
        let cursor = restored.cursor
        self.policy = policy
        position = cursor.position
        readPosition = cursor.position
        counters = cursor.counters
        isPaused = cursor.isPaused
        disabledReason = cursor.disabledReason
        holesToLoad = cursor.holes.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
        needsLanes = policy.ordersByKey
        bucket = policy.rate.map { TokenBucket($0, now) }
        batchLimit = policy.batch?.maximumEvents ?? 1
        seen = now
        health = TargetHealth(failingSince: cursor.failingSinceMs.map(now.past(wallMs:)))
        random = SplitMix64(seed: seed)
        for record in restored.open { open.put(OpenEntry(record, policy, now)) }
    }

    /// Whether anything is sent at all.
    package var isActive: Bool { isEnabled && !isPaused && disabledReason == nil }

    package var openCount: Int { open.count }
    /// When the oldest open event was received; nil when there is none.
    package var oldestOpenMs: Int64? { open.entries.values.lazy.map(\.receivedAtMs).min() }
    /// Events being sent.
    package var inFlightCount: Int { windowInFlight + openInFlight }
    package var requestsInFlight: Int { requests.count }
    /// Places before the position that are not finished, beside the open set.
    package var holeCount: Int {
        windowInFlight + returned.count + lanes.parkedCount + holesToLoad.count + (share?.withheld.count ?? 0)
    }
    /// Everything before the position that is not finished.
    package var unfinishedBeforePosition: Int { holeCount + open.count }
    /// Only single events are let through, or none.
    package var isOpenSetFull: Bool { open.failedCount >= policy.openSize }

    /// What is, or may come to be, in the open set.
    private var openLoad: Int { open.failedCount + windowInFlight + returned.count + lanes.parkedCount }
    var canRead: Bool { openLoad < policy.openLimit }
    var canStartFresh: Bool {
        !backlog.isEmpty && open.lostCount == 0
            && (openLoad < policy.openSize || (isThereRoomForOne && seen.monotonicMs >= heldUntilMs))
    }

    /// When a single new event may go although so many have failed; nil when none may, or one may already.
    var heldDueMs: Int64? {
        let isHeld = !backlog.isEmpty && openLoad >= policy.openSize && isThereRoomForOne
        return isHeld && heldUntilMs > seen.monotonicMs ? heldUntilMs : nil
    }

    private var isThereRoomForOne: Bool { windowInFlight == 0 && openLoad < policy.openLimit }

    /// A new event has failed while the open set is full. The room that is left for single ones is given out slowly: those
    /// that succeed are what tells bad events from a target out of reach, for as long as the others are tried again.
    mutating func holdFresh(_ now: Moment) {
        guard isOpenSetFull else { return }
        let tries = Int64(min(max(1, policy.attempts), 100))
        heldUntilMs = now.monotonicMs + policy.retry.capMs * tries / Int64(policy.openLimit - policy.openSize)
    }

    /// Commits have not kept up: nothing more may be finished or sent.
    package var isUncommittedFull: Bool {
        isKeeperBehind || operations.count >= policy.maximumUncommitted
            || operationsFootprint >= policy.maximumUncommittedBytes
    }

    /// Operations that wait for a commit.
    package var uncommittedCount: Int { operations.count }

    // MARK: committing

    package var cursor: TargetCursor {
        var cursor = TargetCursor(position: position)
        cursor.holes = holesToLoad + (returned + lanes.parked).map(\.event.place)
        for slot in slots {
            if case .window(let tried) = slot.content { cursor.holes.append(tried.event.place) }
        }
        if let share { cursor.holes += share.withheld }
        cursor.counters = counters
        cursor.isPaused = isPaused
        cursor.disabledReason = disabledReason
        cursor.failingSinceMs = health.failingSince?.wallMs
        return cursor
    }

    /// What is to be written now. When writing fails, `putBack` takes it again.
    package mutating func takeChange() -> TargetChange {
        let change = TargetChange(cursor: cursor, operations: operations)
        operations = []
        operationsFootprint = 0
        isDirty = false
        return change
    }

    package mutating func putBack(_ change: TargetChange) {
        operations = change.operations + operations
        operationsFootprint = operations.reduce(0) { $0 + $1.footprint }
        isDirty = true
    }

    /// The dead letters among the operations from the one of this number on.
    func deadLetters(from start: Int) -> [DeadLetter] {
        operations.dropFirst(start).compactMap { if case .bury(let letter) = $0 { letter } else { nil } }
    }

    /// The text of an open event whose row is not written yet.
    package func uncommittedPayload(_ place: RecordPlace) -> [UInt8]? {
        for case .open(let entry, let payload, _) in operations where entry.place == place { return payload }
        return nil
    }

    mutating func add(_ operation: StateOperation) {
        operations.append(operation)
        operationsFootprint += operation.footprint
        isDirty = true
    }

    // MARK: wishes

    package mutating func setPolicy(_ policy: TargetPolicy, isEnabled: Bool) {
        if policy.rate != self.policy.rate { bucket = policy.rate.map { TokenBucket($0, seen) } }
        if policy.ordersByKey != self.policy.ordersByKey {
            dissolveLanes()
            needsLanes = policy.ordersByKey
        }
        batchLimit = policy.batch?.maximumEvents ?? 1
        self.policy = policy
        self.isEnabled = isEnabled
        forgetUnsent()
    }

    package mutating func pause() {
        isPaused = true
        isDirty = true
        forgetUnsent()
    }

    /// Ends an operator's pause and what the target's own answer switched off.
    package mutating func resume() {
        isPaused = false
        disabledReason = nil
        isDirty = true
    }

    /// Drops what was read and not sent, to be read and matched again.
    package mutating func forgetUnsent() {
        backlog.removeAll()
        readPosition = position
        for partition in share?.releasing ?? [] { readPosition.offsets[Int(partition)] = LogPosition.unread }
    }
}
