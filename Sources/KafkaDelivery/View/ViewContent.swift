internal import Delivery
internal import EventLog
internal import Events
internal import Kafka
internal import KafkaLog
internal import Logging
internal import Targets

/// What a view holds, and how it is brought up to date. Confined to the view's lock.
final class ViewContent {
    let store: DeliveryStore
    let log: any LogReader
    let layout: LogLayout
    let names: StateTopics
    let admin: KafkaAdmin
    let follower: TopicFollower
    let decoder: StateDecoder
    let logger: Logger
    private let progress: KafkaView.Progress?

    var control: [ControlKey: ControlEntry] = [:]
    var targets: [String: TargetMirror] = [:]
    var attempts: AttemptMirror
    let buffer: MirrorBuffer
    /// The log's end, read after the commits.
    var head: LogPosition
    /// Topics of the cluster.
    var topics: [String: TopicDescription] = [:]
    private var refreshedAt: [StorePart: ContinuousClock.Instant] = [:]
    private var hasBegunHistory = false
    private var trimmedAt: ContinuousClock.Instant?
    /// Records that could not be read, by topic: told once each.
    private var unreadable: Set<String> = []

    /// One question makes several queries: what was read so shortly before is not read again.
    private static let freshness = Duration.milliseconds(100)
    /// Fetched ahead of what is being written, in bytes.
    private static let buffer = 8 << 20
    /// Attempts are kept in Kafka for so long.
    private static let historyMs: Int64 = 3 * 86_400_000

    init(
        _ options: KafkaLogOptions, _ store: DeliveryStore, _ log: any LogReader, _ logger: Logger,
        _ progress: KafkaView.Progress?
    ) throws {
        self.store = store
        self.log = log
        self.logger = logger
        self.progress = progress
        layout = options.layout
        names = StateTopics(prefix: options.prefix)
        admin = try KafkaAdmin(options.kafka, group: "\(options.prefix).admin")
        follower = TopicFollower(try KafkaReader(options.kafka, maximumBufferedBytes: Self.buffer))
        decoder = StateDecoder(options.layout)
        buffer = MirrorBuffer(store)
        head = LogPosition(offsets: Array(repeating: 0, count: options.layout.count))
        attempts = AttemptMirror { store.routeSet($0) }
    }

    func refresh(_ parts: Set<StorePart>, by deadline: ContinuousClock.Instant) throws {
        let begin = ContinuousClock.now
        func isDue(_ part: StorePart) -> Bool {
            parts.contains(part) && refreshedAt[part].map { begin - $0 > Self.freshness } ?? true
        }
        // Rows of history belong to rows of targets.
        if isDue(.accounts) || isDue(.history) {
            try refreshAccounts(by: deadline)
            refreshedAt[.accounts] = .now
        }
        if isDue(.history) {
            try refreshHistory(by: deadline)
            refreshedAt[.history] = .now
        }
        if isDue(.audit) {
            try refreshAudit(by: deadline)
            refreshedAt[.audit] = .now
        }
    }

    /// Something has changed just now, and the next question is about it.
    func outdate() { refreshedAt.removeAll() }

    /// Reads topics to where they end now.
    /// - Returns: whether there is any of them.
    @discardableResult
    func read(
        _ wanted: [String], _ part: StorePart, by deadline: ContinuousClock.Instant,
        _ body: (KafkaMessage) throws -> Void
    ) throws -> Bool {
        let present = wanted.compactMap { topics[$0] }
        guard !present.isEmpty else { return false }
        let partitions = present.flatMap { topic in
            (0..<Int32(topic.partitions)).map { TopicPartition(topic: topic.name, partition: $0) }
        }
        let ends = try admin.ends(of: partitions)
        try follower.read(
            to: ends, by: deadline, progress.map { progress in { progress(part, $0, $1) } }, body)
        return true
    }

    /// Reads one record; one that cannot be read is told of and left out.
    func decode<Record>(_ message: KafkaMessage, _ decode: (KafkaMessage) throws -> Record) -> Record? {
        do {
            return try decode(message)
        } catch {
            if unreadable.insert(message.topic).inserted {
                logger.warning(
                    "kafka_record_unreadable",
                    "A record of \(message.topicPartition) at \(message.offset) cannot be read: \(error)",
                    ["topic": .string(message.topic)])
            }
            return nil
        }
    }

    // MARK: history

    private func refreshHistory(by deadline: ContinuousClock.Instant) throws {
        let nowMs = Moment.now().wallMs
        if !hasBegunHistory {
            try beginHistory(nowMs)
            hasBegunHistory = true
        }
        // A batch's events stand in several partitions, and the one that has its request may be the last to be read.
        for pass in 0..<2 where pass == 0 || attempts.isHolding {
            try read([names.attempts], .history, by: deadline) { message in
                guard let record = decode(message, { try decoder.attempt($0) }) else { return }
                try buffer.add(attempts.take(record) { version($0) })
            }
        }
        try buffer.add(attempts.giveUpWaiting { version($0) })
        try buffer.flush()
        guard trimmedAt.map({ $0.duration(to: .now) > .seconds(60) }) ?? true else { return }
        trimmedAt = .now
        let oldest = try log.position(at: nowMs - Self.historyMs)
        while try store.trimMirror(before: oldest, beforeMs: nowMs - Self.historyMs, nowMs: nowMs),
            ContinuousClock.now < deadline
        {}
    }

    /// What Kafka has removed already is not told of as if nothing had happened.
    private func beginHistory(_ nowMs: Int64) throws {
        guard let topic = topics[names.attempts] else { return }
        let partitions = (0..<Int32(topic.partitions)).map { TopicPartition(topic: names.attempts, partition: $0) }
        guard try admin.ends(of: partitions).values.contains(where: { $0.low > 0 }) else { return }
        try store.beginHistory(at: try log.position(at: nowMs - Self.historyMs))
    }

    private func version(_ hash: String) -> TargetVersion? {
        control[.version(hash)]?.value.map { TargetVersion(hash: hash, source: $0) }
    }

    // MARK: audit

    private func refreshAudit(by deadline: ContinuousClock.Instant) throws {
        if topics.isEmpty { topics = try admin.topics() }
        try read([names.audit], .audit, by: deadline) { message in
            guard let entry = decode(message, { try AuditRecord.decode($0, decoder) }) else { return }
            try buffer.add(entry, number: message.offset + 1)
        }
        try buffer.flush()
    }
}
