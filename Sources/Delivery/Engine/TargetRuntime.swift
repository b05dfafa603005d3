internal import EventLog
internal import Targets

/// One configured version of a target: it stays until its last attempt has ended.
final class Sink {
    let id: Int
    let target: any Target
    var inFlight = 0
    private(set) var isRetired = false

    init(id: Int, target: any Target) {
        self.id = id
        self.target = target
    }

    /// Nothing more is sent through it; it closes when nothing is in flight.
    func retire() {
        isRetired = true
        if inFlight == 0 { target.close() }
    }

    func ended() {
        inFlight -= 1
        if isRetired, inFlight == 0 { target.close() }
    }
}

/// A target's state with everything around it that is no value. Confined to the engine's lock.
final class TargetRuntime {
    var stored: StoredTarget
    /// Its place among the engine's targets.
    var index = 0
    var state: TargetState
    var metrics: TargetMetrics
    /// Nil while the target is not configured.
    var sink: Sink?
    var retired: [Sink] = []
    var settings: TargetSettings?
    /// Of the last commit.
    var committedCursor: TargetCursor
    /// When the log could not be read for it, no sooner than this.
    var readAgainAtMs: Int64 = 0
    var readFailure: String?
    var hasWarnedOfAge = false
    var lastLoggedStanding = TargetStanding.running
    var failures = FailureStreak()
    /// Of the target itself, where several instances share the work.
    var sharing = TargetSharing()
    /// The number of the replay that this is the state of; nil for a target's own.
    let replay: Int64?
    /// The target that a replay sends to, through its sinks.
    let replayed: TargetRuntime?

    /// - Parameter target: for the state of a replay: where it sends to.
    init(_ stored: StoredTarget, state: TargetState, metrics: TargetMetrics, replaying target: TargetRuntime? = nil) {
        self.stored = stored
        self.state = state
        self.metrics = metrics
        replay = target == nil ? nil : StoredReplay.number(ofRow: stored.id)
        replayed = target
        committedCursor = stored.cursor
    }

    var id: Int64 { stored.id }
    var name: String { stored.name }

    /// A target that is not configured keeps its holes: it may come back.
    func wantsHoles(_ now: Moment) -> Bool {
        settings != nil && !state.holesToLoad.isEmpty && readAgainAtMs <= now.monotonicMs
    }

    func ended(sink id: Int) {
        if let replayed { return replayed.ended(sink: id) }
        if let sink, sink.id == id {
            sink.ended()
        } else if let index = retired.firstIndex(where: { $0.id == id }) {
            retired[index].ended()
            if retired[index].inFlight == 0 { retired.remove(at: index) }
        }
    }

    /// Puts another sink, or none, in the place of the present one.
    func replaceSink(_ new: Sink?) {
        if let sink {
            sink.retire()
            if sink.inFlight > 0 { retired.append(sink) }
        }
        sink = new
    }

    func closeAll() {
        for sink in retired + [sink].compactMap(\.self) { sink.target.close() }
        retired = []
        sink = nil
    }
}
