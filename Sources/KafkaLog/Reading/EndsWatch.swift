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

    private static let interval = 1000

    init(
        _ parts: ReadingParts, _ topics: TopicAdministration, _ readers: LogReaders, _ spot: SpotReader,
        _ preparation: TopicPreparation
    ) throws(KafkaFailure) {
        do throws(ThreadError) {
            let started = try Thread(name: "kafka-ends") { [stop] in
                var isAway = preparation.problem != nil
                while stop.wait(timeout: .now() + .milliseconds(Self.interval)) == .timedOut {
                    spot.rest()
                    do throws(KafkaFailure) {
                        try preparation.tryAgain()
                        _ = try topics.lookAgain()
                        if try !parts.ends.refresh(topics.partitions, parts.admin).isEmpty { readers.tell() }
                        isAway = false
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
