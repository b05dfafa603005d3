internal import Dispatch
internal import Kafka
internal import Logging
internal import Synchronization
internal import Threads

/// Asks the brokers every second how far the log's partitions go, and now and then whether other instances have created
/// topics.
final class EndsWatch: Sendable {
    private let stop = DispatchSemaphore(value: 0)
    private let thread = Mutex<Thread?>(nil)
    private let cut = CutTopics()

    private static let interval = 1000

    /// Which topics are shorter than they were, for people; nil: none is.
    var damage: String? { cut.damage }

    init(
        _ parts: ReadingParts, _ topics: TopicAdministration, _ readers: LogReaders, _ spot: SpotReader,
        _ preparation: TopicPreparation
    ) throws(KafkaFailure) {
        do throws(ThreadError) {
            let started = try Thread(name: "kafka-ends") { [stop, cut] in
                var isAway = preparation.problem != nil
                while stop.wait(timeout: .now() + .milliseconds(Self.interval)) == .timedOut {
                    spot.rest()
                    do throws(KafkaFailure) {
                        try preparation.tryAgain()
                        _ = try topics.lookAgain()
                        if try !parts.ends.refresh(topics.partitions, parts.admin).isEmpty { readers.tell() }
                        isAway = false
                        cut.look(parts)
                    } catch {
                        if !isAway {
                            parts.logger.warning(
                                "kafka_unreachable", "The brokers do not say how far the log goes: \(error.message)",
                                ["reason": .string(error.code)])
                        }
                        isAway = true
                    }
                }
            }
            thread.withLock { $0 = started }
        } catch {
            throw KafkaFailure(code: "resources", message: error.description)
        }
    }

    func close() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        stop.signal()
        thread.join()
    }
}

/// Tells of topics that end before places that were read or written in them. A broker that has just taken a partition over
/// may be behind for a moment: only what stays so counts.
private final class CutTopics: Sendable {
    private struct State {
        var looks = 0
        var damage: String?
    }

    private let state = Mutex(State())
    private static let patience = 5

    var damage: String? { state.withLock { $0.damage } }

    func look(_ parts: ReadingParts) {
        let names = Set(parts.ends.cut.keys.map { parts.layout.topicPartition($0).topic }).sorted()
        let news = state.withLock { state -> String? in
            state.looks = names.isEmpty ? 0 : state.looks + 1
            guard state.looks >= Self.patience else {
                if names.isEmpty { state.damage = nil }
                return nil
            }
            let isNew = state.damage == nil
            state.damage =
                "the topic \(names.joined(separator: ", ")) was deleted or cut while it was in use: events that are "
                + "published to it now may be taken for delivered ones"
            return isNew ? state.damage : nil
        }
        guard let news else { return }
        parts.logger.error("kafka_topic_cut", "\(news)", ["topic": .string(names.joined(separator: ","))])
    }
}
