internal import EventLog
internal import Events
internal import Kafka

/// Decides what happens to each event between `append` and its answer, and afterwards until Kafka has it. A value without
/// clock, disk or network: what happens is told to it (an append, a report of Kafka's, an answer of the spool, time), and
/// what is to be done is taken from it (`takeDecisions`, `nextToPublish`).
///
/// Order is kept in lanes, one a partition of the log. In a lane events go to the producer as they come, and the producer
/// keeps their order. When one has no report in time, or fails, the lane *stalls*: everything of it that is not answered is
/// written to the spool, in order, and answered when that is synced; later events go straight behind. Once nothing of the
/// lane is in the producer any more, what the spool still holds of it is published in order, and when all of that has been
/// handed to the producer, new events follow directly again.
///
/// The producer gives up no record by itself, so that what was handed to it is reported in the end, and is not published a
/// second time before it is.
struct AppendDesk {
    struct Settings: Sendable {
        var lanes: Lanes
        var spools = true
        /// How long an event waits for Kafka's report. Nanoseconds, as all times here.
        var limit: Int64 = 2_000_000_000
        /// What the producer holds at once.
        var windowRecords = 32_768
        var windowBytes = 64 << 20
        /// Of both, as one part of so many, what is left to urgent lanes when the others fill the rest.
        var urgentShare = 16
        /// Of one lane, so that a partition that is away leaves room for others.
        var laneWindow = 1024
        /// What is read of the spool ahead of the producer, of a lane and in all.
        var readAhead = 256
        var readAheadInAll = 4096
        var readAheadBytes = 1 << 20
        var knownIDs = 1_000_000
        var dedupeWindow: Int64 = 7 * 86_400 * 1_000_000_000
    }

    enum Decision: Sendable {
        case answer(batch: UInt64, Result<[AppendOutcome], LogFailure>)
        case spool(SpoolOperation)
        /// The topic of a type is needed: `topicIsReady` or `topicFailed` follows.
        case ensure(CanonicalType)
        /// Kafka has acknowledged the record here.
        case acknowledged(RecordPlace)
        case deadLetter(LogItem, reason: String)
        case kafkaIsAway
        case kafkaIsBack
    }

    /// Something to be published.
    struct Arrival: Sendable {
        var item: LogItem
        var lane: Int
        var record: KafkaRecord
    }

    struct Waiter {
        var batch: UInt64
        /// Of its outcome; nil for a quarantined element, which has none.
        var index: Int?
    }

    enum InSpool {
        case no
        case writing
        case kept(Int64)
    }

    /// An event until both the producer and whoever waits for it are done with it.
    struct Entry {
        var arrival: Arrival
        var arrivedAt: Int64
        var waiters: [Waiter] = []
        var spool = InSpool.no
        var isInFlight = false
        /// Nothing else of its lane was in the producer when it was handed over.
        var isAlone = false
        /// Kafka has it, or refused it for good, while it was being written to the spool: its row is to go.
        var isOver = false
        /// It was counted when it became durable.
        var isCounted = false
        /// Out of the spool.
        var isDrained = false
    }

    struct Lane {
        /// To be handed to the producer, in order.
        var waiting = FirstInFirstOut<UInt64>()
        var waitingCount = 0
        /// Handed over, in order; those that are over are left out when they come to the front.
        var order = FirstInFirstOut<UInt64>()
        var inFlight = 0
        /// Rows in the spool, or on their way into it, that are neither in the producer nor in `waiting`. What is read
        /// corrects it: after a failure of the disk there may be more than were told, or fewer.
        var unhanded = 0
        /// Those have this sequence or a later one.
        var next: Int64 = 0
        /// Entries on their way into the spool.
        var writing = 0
        /// Of these, those that are over: their rows are not to be read.
        var held = 0
        /// Rows asked for; 0 while none are.
        var loading = 0
        /// Something failed since they were asked for: rows before them are to be read first.
        var isLoadingInVain = false
        /// Nothing is handed over until all that is in the producer is reported.
        var isStalled = false
        /// One at a time, because a batch was too large.
        var isSingle = false
        var retryAt: Int64 = 0
        var failures = 0
        /// In `sendable`.
        var isQueued = false
    }

    enum TopicState: Equatable {
        case unknown
        case asked
        case ready
        case failed(retryAt: Int64)
    }

    let settings: Settings
    var entries: [UInt64: Entry] = [:]
    /// By id: entries that may still be waited for.
    var pending: [EventID: UInt64] = [:]
    var batches: [UInt64: OpenBatch] = [:]
    var lanes: [Lane]
    var topics: [CanonicalType: TopicState] = [:]
    /// Lanes that may have something to publish.
    var sendable = FirstInFirstOut<Int>()
    /// Those of them that go first.
    var urgentSendable = FirstInFirstOut<Int>()
    var recent: RecentPlaces
    var counters = AppendCounters()
    private var nextToken: UInt64 = 1
    private var decisions: [Decision] = []

    var inFlightRecords = 0
    var inFlightBytes = 0
    /// Asked for or read from the spool, and not yet in the producer.
    var readAhead = 0
    var unhandedInAll = 0
    /// Kafka acknowledged something last.
    var lastReport: Int64
    private(set) var isKafkaAway = false
    var isSpoolFailing = false
    /// The producer's queue was full: nothing is handed over before this.
    var congestedUntil: Int64 = 0
    /// Nothing more is read from the spool.
    var isClosing = false

    /// - Parameters:
    ///   - spooled: rows and the lowest sequence in the spool, by lane.
    ///   - ids: of what is in the spool.
    init(_ settings: Settings, spooled: [Int: (rows: Int, first: Int64)] = [:], ids: [EventID] = [], now: Int64) {
        self.settings = settings
        lanes = Array(repeating: Lane(), count: settings.lanes.count)
        recent = RecentPlaces(capacity: settings.knownIDs, windowNanoseconds: settings.dedupeWindow)
        lastReport = now
        for (lane, found) in spooled where lanes.indices.contains(lane) {
            lanes[lane].unhanded = found.rows
            lanes[lane].next = found.first
            unhandedInAll += found.rows
        }
        for id in ids { recent.add(id, place: nil, now: now) }
    }

    /// Nothing waits for Kafka, neither here nor in the spool.
    var isDone: Bool { entries.isEmpty && unhandedInAll == 0 }

    mutating func takeDecisions() -> [Decision] {
        defer { decisions.removeAll(keepingCapacity: true) }
        return decisions
    }

    mutating func decide(_ decision: Decision) { decisions.append(decision) }

    mutating func newToken() -> UInt64 {
        defer { nextToken += 1 }
        return nextToken
    }

    mutating func setAway(_ isAway: Bool) {
        guard isAway != isKafkaAway else { return }
        isKafkaAway = isAway
        decide(isAway ? .kafkaIsAway : .kafkaIsBack)
    }

    // MARK: Topics

    func isReady(_ lane: Int) -> Bool {
        guard let type = settings.lanes.type(of: lane) else { return true }
        return topics[type] == .ready
    }

    /// Asks for the lane's topic, unless that was just done.
    mutating func askForTopic(of lane: Int, now: Int64) {
        guard let type = settings.lanes.type(of: lane) else { return }
        switch topics[type, default: .unknown] {
        case .unknown: break
        case .failed(let retryAt) where retryAt <= now: break
        case .asked, .ready, .failed: return
        }
        topics[type] = .asked
        decide(.ensure(type))
    }

    mutating func topicIsReady(_ type: CanonicalType) {
        topics[type] = .ready
        for lane in lanes.indices where settings.lanes.type(of: lane) == type { queue(lane) }
    }

    mutating func topicFailed(_ type: CanonicalType, now: Int64) {
        topics[type] = .failed(retryAt: now + 1_000_000_000)
    }
}
