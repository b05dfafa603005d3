internal import EventLog
package import Events
package import Kafka
internal import Threads

/// Has topics be there before something is published to them.
package protocol TopicReadiness: Sendable {
    /// Cheap when the topic is known to be there; otherwise it may block for some seconds.
    func ensure(_ type: CanonicalType) throws(KafkaFailure)
}

extension TopicAdministration: TopicReadiness {}

/// Asks for topics on a thread of its own, one after the other.
final class TopicThread: @unchecked Sendable {  // Everything below is touched inside the monitor only.
    private let monitor = Monitor()
    private var wanted: [CanonicalType] = []
    private var isClosed = false

    /// - Parameter told: called on the thread, with nil when the topic is there.
    func start(_ topics: any TopicReadiness, told: @escaping @Sendable (CanonicalType, KafkaFailure?) -> Void) {
        _ = Thread.indispensable(name: "topics") { [self] in
            while let type = next() {
                do throws(KafkaFailure) {
                    try topics.ensure(type)
                    told(type, nil)
                } catch {
                    told(type, error)
                }
            }
        }
    }

    func want(_ type: CanonicalType) {
        monitor.withLock {
            wanted.append(type)
            monitor.broadcast()
        }
    }

    func close() {
        monitor.withLock {
            isClosed = true
            monitor.broadcast()
        }
    }

    private func next() -> CanonicalType? {
        monitor.withLock {
            while wanted.isEmpty, !isClosed { monitor.wait() }
            return isClosed ? nil : wanted.removeFirst()
        }
    }
}
