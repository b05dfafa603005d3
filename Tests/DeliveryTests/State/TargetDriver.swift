import EventLog
import Events
import JSON
import Targets

@testable import Delivery

/// Readable as an event; what stands in it does not matter to a target's state.
let anyView = try! EventView(parsing: Array(#"{"data":{}}"#.utf8), with: JSONParser())

/// - Parameter key: its partition key.
func event(
    _ offset: Int64, partition: Int32 = 0, receivedAtMs: Int64 = 0, type: String = "visitor.signin", key: String? = nil
) -> LoggedEvent {
    let keyed = key.map { #"{"partitionkey":"\#($0)","data":{}}"# }
    return LoggedEvent(
        place: RecordPlace(partition: partition, offset: offset),
        id: EventID(high: UInt64(partition), low: UInt64(offset)),
        type: type, source: "london", receivedAtMs: receivedAtMs, payload: Array("{\"n\":\(offset)}".utf8),
        view: keyed.map { try! EventView(parsing: Array($0.utf8), with: JSONParser())! } ?? anyView)
}

let routes = RouteSet(id: 1, names: ["all"])
let delivered = DeliveryOutcome.delivered(DeliveryReceipt(status: 200, duration: .milliseconds(3), bytes: 10))
let refused = failure("connect_refused", .target)
let serverError = failure("http_500", .target, status: 500)
let badRequest = failure("http_400", .event, status: 400)

func failure(
    _ code: String, _ blame: Blame, status: Int? = nil, retryAfter: Duration? = nil
) -> DeliveryOutcome {
    .failed(DeliveryFailure(code: code, message: "It failed.", blame: blame, status: status, retryAfter: retryAfter))
}

/// A target's state over a log of one partition whose every event is taken, driven by hand with a clock of its own.
struct TargetDriver {
    var state: TargetState
    var now = Moment(monotonicMs: 1_000_000, wallMs: 1_700_000_000_000)
    var events: [LoggedEvent]
    var committed: [StateOperation] = []
    var cursor: TargetCursor

    init(events count: Int, _ adjust: (inout TargetPolicy) -> Void = { _ in }) {
        var policy = TargetPolicy()
        policy.concurrency = 4
        adjust(&policy)
        cursor = TargetCursor(position: LogPosition(offsets: [0]))
        events = (0..<Int64(count)).map { event($0, receivedAtMs: 1_699_999_999_000 + $0) }
        state = TargetState(RestoredTarget(cursor: cursor), policy: policy, now, seed: 7)
    }

    mutating func read() {
        var room = state.room(now)
        while room > 0, let offset = state.readPosition.offsets.first, offset < events.count {
            state.take(events[Int(offset)], routes)
            room -= 1
        }
        state.endRead(at: state.readPosition, now)
    }

    /// Everything that is to be sent now.
    mutating func attempts() -> [Attempt] {
        read()
        var result: [Attempt] = []
        while let attempt = state.nextRequest(now).first { result.append(attempt) }
        return result
    }

    mutating func finish(_ attempt: Attempt, _ outcome: DeliveryOutcome) {
        state.finish(attempt.ticket, outcome, now)
    }

    /// Sends what there is until nothing is left to do now, and answers each attempt as told.
    /// - Returns: the offsets sent, in order.
    @discardableResult
    mutating func run(_ answer: (Int64) -> DeliveryOutcome) -> [Int64] {
        var sent: [Int64] = []
        while true {
            let batch = attempts()
            if batch.isEmpty { return sent }
            for attempt in batch {
                sent.append(attempt.place.offset)
                finish(attempt, answer(attempt.place.offset))
            }
        }
    }

    /// Runs, moving the clock to the next thing that is due, until nothing is due any more or the time is over.
    @discardableResult
    mutating func run(forMs limit: Int64, _ answer: (Int64) -> DeliveryOutcome) -> [Int64] {
        let end = now.monotonicMs + limit
        var sent = run(answer)
        while let wake = state.wakeMs(now), wake <= end {
            now = now.advanced(byMs: max(1, wake - now.monotonicMs))
            sent += run(answer)
        }
        return sent
    }

    /// The requests that are to begin now, each with its events' offsets.
    mutating func requests() -> [[Attempt]] {
        read()
        var result: [[Attempt]] = []
        while true {
            let request = state.nextRequest(now)
            if request.isEmpty { return result }
            result.append(request)
        }
    }

    mutating func finish(_ request: [Attempt], _ outcome: BatchOutcome) {
        state.finish(request.map(\.ticket), outcome, now)
    }

    mutating func advance(_ milliseconds: Int64) { now = now.advanced(byMs: milliseconds) }

    /// The target's state as another run finds it: what was committed, read back.
    mutating func restart() {
        var open: [RecordPlace: OpenEntry] = [:]
        for operation in committed {
            switch operation {
            case .open(let entry, _, _), .postpone(let entry, _): open[entry.place] = entry
            case .close(let place): open[place] = nil
            case .bury(let letter): open[letter.place] = nil
            default: break
            }
        }
        let records = open.values.map { entry in
            RestoredTarget.OpenRecord(
                place: entry.place, id: entry.id, type: entry.type, source: entry.source,
                receivedAtMs: entry.receivedAtMs, routes: entry.routes, tries: entry.tries, counted: entry.counted,
                firstTriedAtMs: entry.firstTried.wallMs, nextAtMs: now.wallMs, reason: entry.reason, size: entry.size,
                key: entry.key)
        }
        state = TargetState(RestoredTarget(cursor: cursor, open: records), policy: state.policy, now, seed: 3)
        for hole in state.holesToLoad { state.fill(hole, with: events[Int(hole.offset)], routes, now) }
    }

    mutating func commit() {
        let change = state.takeChange()
        cursor = change.cursor
        committed += change.operations
    }

    var deadLetters: [DeadLetter] {
        (committed + state.operations).compactMap { if case .bury(let letter) = $0 { letter } else { nil } }
    }

    var history: [HistoryEntry] {
        (committed + state.operations).compactMap { if case .record(let entry) = $0 { entry } else { nil } }
    }
}

extension Attempt {
    var place: RecordPlace {
        switch content {
        case .event(let event): event.place
        case .open(let place): place
        }
    }
}
