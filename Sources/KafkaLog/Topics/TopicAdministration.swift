package import Events
internal import Glibc
package import Kafka
package import Logging
internal import Synchronization

/// Which of the log's topics there are. Creates those that are missing, or says that they are, and compares those that
/// there are with what they must be. Calls to the cluster block the caller, each for some seconds at most.
package final class TopicAdministration: Sendable {
    private struct State {
        /// Topics of the prefix.
        var present: Set<String> = []
        var types: Set<CanonicalType> = []
        /// Targets whose topics are known to be there and as they must be.
        var targets: Set<String> = []
        var lookedAt: ContinuousClock.Instant?
    }

    private let options: KafkaLogOptions
    private let layout: LogLayout
    private let admin: KafkaAdmin
    private let logger: Logger
    private let state = Mutex(State())

    /// How often other instances' new topics are looked for.
    private static let lookInterval = Duration.seconds(10)
    /// How long brokers may take to know of a new topic.
    private static let patience = Duration.seconds(5)

    package init(_ options: KafkaLogOptions, admin: KafkaAdmin, logger: Logger) {
        self.options = options
        layout = options.layout
        self.admin = admin
        self.logger = logger
    }

    // MARK: at the start

    /// Creates what is missing of the topics that are wanted from the start, and compares all that there are.
    package func prepare() throws(KafkaLogError) {
        let found = try listed()
        let wanted =
            options.standingTopics
            + CanonicalType.allCases.filter { options.types.contains($0) || found[layout.topic($0)] != nil }.map {
                options.topic(of: $0)
            }
        try have(wanted, found)
    }

    /// Compares those that there are, and creates the others.
    private func have(_ wanted: [WantedTopic], _ found: [String: TopicDescription]) throws(KafkaLogError) {
        try verify(wanted.filter { found[$0.name] != nil }, found)
        let missing = wanted.filter { found[$0.name] == nil }
        if !missing.isEmpty {
            try create(missing)
            try awaitCreated(missing)
        }
        remember(Set(found.keys).union(wanted.map(\.name)))
    }

    /// Brokers tell each other of new topics. One that another instance has created at the same moment, with another count
    /// of partitions, is noticed here.
    private func awaitCreated(_ created: [WantedTopic]) throws(KafkaLogError) {
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            let found = try listed()
            if created.allSatisfy({ found[$0.name] != nil }) {
                return try refuse(created, found, configurations: [:])
            }
            usleep(20_000)
        }
    }

    /// Takes note of the topics that there are, and creates none.
    package func look() throws(KafkaLogError) {
        remember(Set(try listed().keys))
    }

    private func listed() throws(KafkaLogError) -> [String: TopicDescription] {
        do throws(KafkaFailure) {
            return try admin.topics()
        } catch {
            throw KafkaLogError(error, doing: "the topics of the cluster cannot be listed")
        }
    }

    private func remember(_ names: Set<String>) {
        let names = names.filter { $0.hasPrefix(layout.prefix + ".") }
        state.withLock { state in
            // A topic that was created just now may not be listed yet by every broker.
            state.present.formUnion(names)
            state.types.formUnion(names.compactMap { layout.type(ofTopic: $0) })
            state.lookedAt = .now
        }
    }

    private func verify(_ present: [WantedTopic], _ found: [String: TopicDescription]) throws(KafkaLogError) {
        guard !present.isEmpty else { return }
        var configurations: [String: [String: String]] = [:]
        do throws(KafkaFailure) {
            configurations = try admin.configuration(ofTopics: present.map(\.name))
        } catch {
            // Not every user may describe configurations; the counts are known without.
            logger.warning(
                "kafka_topics_unverified", "The topics' configuration cannot be compared: \(error.message)",
                ["reason": .string(error.code)])
        }
        try refuse(present, found, configurations: configurations)
    }

    private func refuse(
        _ present: [WantedTopic], _ found: [String: TopicDescription], configurations: [String: [String: String]]
    ) throws(KafkaLogError) {
        var fatal: [String] = []
        for topic in present {
            guard let description = found[topic.name] else { continue }
            for complaint in topic.complaints(about: description, configurations[topic.name] ?? [:]) {
                if complaint.isFatal {
                    fatal.append(complaint.message)
                } else {
                    logger.warning("kafka_topic_unfit", complaint.message, ["topic": .string(topic.name)])
                }
            }
        }
        if !fatal.isEmpty { throw KafkaLogError(.topicUnfit, fatal.joined(separator: "\n")) }
    }

    private func create(_ missing: [WantedTopic]) throws(KafkaLogError) {
        guard options.createsTopics else {
            let names = missing.map(\.name).joined(separator: ", ")
            throw KafkaLogError(
                .topicMissing,
                "the cluster has no topic \(names), and `create_topics: false` leaves creating to its administrator: "
                    + "`gatehouse kafka topics` prints the commands")
        }
        var refusals: [String: KafkaFailure] = [:]
        do throws(KafkaFailure) {
            refusals = try admin.create(missing.map(\.asNew))
        } catch {
            throw KafkaLogError(error, doing: "topics cannot be created")
        }
        guard let (name, failure) = refusals.min(by: { $0.key < $1.key }) else {
            for topic in missing {
                logger.info("kafka_topic_created", "Created the topic \(topic.name).", ["topic": .string(topic.name)])
            }
            return
        }
        throw KafkaLogError(
            .topicRefused,
            "the topic \(name) cannot be created: \(failure.message); `gatehouse kafka topics` prints the commands for "
                + "the cluster's administrator")
    }

    // MARK: while it runs

    /// Types whose topics there are.
    package var presentTypes: Set<CanonicalType> { state.withLock { $0.types } }

    /// The log's partitions whose topics there are.
    package var partitions: [Int32] {
        presentTypes.flatMap { type in (0..<layout.partitions).map { layout.index(type, shard: $0) } }.sorted()
    }

    /// Whether there is a topic of this name, as far as is known.
    package func isPresent(_ topic: String) -> Bool { state.withLock { $0.present.contains(topic) } }

    /// Has the topic of a type be there. Cheap when it is known to be.
    package func ensure(_ type: CanonicalType) throws(KafkaFailure) {
        if state.withLock({ $0.types.contains(type) }) { return }
        try ensure([options.topic(of: type)])
    }

    /// Has the topics of a target's retries and dead letters be there. Cheap when they are known to be.
    package func ensure(target: String) throws(KafkaFailure) {
        if state.withLock({ $0.targets.contains(target) }) { return }
        try ensure(options.topics(ofTarget: target))
        state.withLock { _ = $0.targets.insert(target) }
    }

    private func ensure(_ wanted: [WantedTopic]) throws(KafkaFailure) {
        do throws(KafkaLogError) {
            try have(wanted, try listed())
        } catch {
            throw KafkaFailure(code: error.code.rawValue, message: error.message)
        }
    }

    /// Looks for topics that other instances have created, when that was some time ago.
    /// - Returns: the types whose topics are new.
    func lookAgain() throws(KafkaFailure) -> Set<CanonicalType> {
        let (isDue, before) = state.withLock { state in
            (state.lookedAt.map { $0.duration(to: .now) >= Self.lookInterval } ?? true, state.types)
        }
        guard isDue else { return [] }
        remember(Set(try admin.topics().keys))
        return presentTypes.subtracting(before)
    }

    // MARK: for administrators

    /// The commands, for Kafka's own tools, that create the topics the log and its targets need.
    package static func commands(_ options: KafkaLogOptions, targets: [String]) -> [String] {
        let types = CanonicalType.allCases.filter { options.types.isEmpty || options.types.contains($0) }
        let topics =
            types.map { options.topic(of: $0) } + options.standingTopics
            + targets.sorted().flatMap { options.topics(ofTarget: $0) }
        return topics.map { $0.command(brokers: options.kafka.brokers) }
    }
}
