import Foundation
import Synchronization

/// Load of several senders on several instances, as a load balancer spreads it: every request goes to the next instance,
/// and one that fails or is refused goes to the one after it, the same event again.
final class KafkaLoad: Sendable {
    /// An event of an acknowledged request.
    struct Acknowledged: Sendable {
        var event: SentEvent.Canonical
        var sender: Int
        /// Of this sender, in the order in which it sent them: the next one was sent when this was acknowledged.
        var sequence: Int
        var instance: String
        /// Whether nobody but that instance was ever sent it, and once.
        var isFirstTry: Bool
        var at: ContinuousClock.Instant
    }

    private struct State {
        var acknowledged: [String: Acknowledged] = [:]
        var sent: Set<String> = []
        var refused = 0
        var unanswered = 0
        var problems: [String] = []
        var instances: [KafkaInstance] = []
        var isStopping = false
        var isAbandoned = false
        var running = 0
    }

    private let shared = Mutex(State())
    private let seed: UInt64
    private let pauseMicroseconds: UInt32
    /// Far longer than any answer takes.
    private static let answerSeconds = 30
    /// Keys enough for every shard to have some at all times.
    private static let sites = 40

    /// - Parameter pauseMicroseconds: between two requests of one sender.
    init(seed: UInt64, pauseMicroseconds: UInt32 = 30_000) {
        self.seed = seed
        self.pauseMicroseconds = pauseMicroseconds
    }

    var acknowledged: [String: Acknowledged] { shared.withLock(\.acknowledged) }
    var acknowledgedCount: Int { shared.withLock(\.acknowledged.count) }
    var sent: Set<String> { shared.withLock(\.sent) }
    var problems: [String] { shared.withLock(\.problems) }

    /// For people.
    var summary: String {
        shared.withLock {
            "\($0.acknowledged.count) acknowledged of \($0.sent.count) sent, \($0.refused) answers 503, "
                + "\($0.unanswered) without an answer"
        }
    }

    /// Those that may run; one that does not listen is passed over.
    func aim(at instances: [KafkaInstance]) { shared.withLock { $0.instances = instances } }

    func start(_ senders: [Sender] = [.signinapp, .envoy, .sine, .netgraph, .signinapp, .alocity]) {
        shared.withLock { $0.running = senders.count }
        for (number, sender) in senders.enumerated() {
            Thread.detachNewThread { [self] in
                var run = Run(
                    load: self, sender: sender, number: number, random: SeededGenerator(seed &+ UInt64(number)))
                while run.step() { usleep(pauseMicroseconds) }
                shared.withLock { $0.running -= 1 }
            }
        }
    }

    /// Every sender gets its last request acknowledged, then stops.
    /// - Returns: whether they did in time.
    func stop() async throws -> Bool {
        shared.withLock { $0.isStopping = true }
        return try await eventually { shared.withLock(\.running) == 0 }
    }

    /// Every sender stops where it is.
    func abandon() {
        shared.withLock { state in
            state.isAbandoned = true
            state.instances = []
        }
    }

    /// One sender on a thread of its own.
    private struct Run {
        let load: KafkaLoad
        let sender: Sender
        let number: Int
        var random: SeededGenerator
        private var connections: [Int: RawConnection] = [:]
        private var pending: SentEvent?
        private var tries = 0
        private var sequence = 0
        private var turn = 0

        init(load: KafkaLoad, sender: Sender, number: Int, random: SeededGenerator) {
            self.load = load
            self.sender = sender
            self.number = number
            self.random = random
            turn = number
        }

        /// One request; false when it has sent its last.
        mutating func step() -> Bool {
            let (instances, isStopping, isAbandoned) = load.shared.withLock {
                ($0.instances, $0.isStopping, $0.isAbandoned)
            }
            if isAbandoned || (isStopping && pending == nil) { return false }
            turn += 1
            guard !instances.isEmpty, case let instance = instances[turn % instances.count], let port = instance.port
            else { return true }
            // Most are sent until they are acknowledged; a sender may also give up.
            if !isStopping, tries > 0, Int.random(in: 0..<10, using: &random) == 0 { pending = nil }
            let event = pending ?? next()
            pending = event
            tries += 1
            do {
                let connection =
                    try connections[port] ?? RawConnection(port: port, timeoutSeconds: KafkaLoad.answerSeconds)
                connections[port] = connection
                let answer = try connection.post(event.path, Array(event.body.utf8), headers: event.headers)
                if load.take(answer, event, number, sequence, instance.name, isFirstTry: tries == 1) { pending = nil }
            } catch {
                load.shared.withLock { $0.unanswered += 1 }
                connections[port] = nil
            }
            return true
        }

        private mutating func next() -> SentEvent {
            sequence += 1
            tries = 0
            let event = sender.event(
                "kafka-\(number)-\(sequence)", site: 4560 + Int.random(in: 0..<KafkaLoad.sites, using: &random),
                leaving: Bool.random(using: &random), elements: Int.random(in: 1...4, using: &random))
            load.shared.withLock { $0.sent.formUnion(event.events.map(\.id)) }
            return event
        }
    }

    /// - Returns: whether it was acknowledged.
    private func take(
        _ answer: Answer, _ event: SentEvent, _ sender: Int, _ sequence: Int, _ instance: String, isFirstTry: Bool
    ) -> Bool {
        shared.withLock { state in
            switch answer.status {
            case 200:
                for (index, canonical) in event.events.enumerated() {
                    state.acknowledged[canonical.id] = Acknowledged(
                        event: canonical, sender: sender, sequence: sequence * 1000 + index, instance: instance,
                        isFirstTry: isFirstTry, at: .now)
                }
                return true
            case 503 where answer.headers["retry-after"] != nil: state.refused += 1
            default:
                if state.problems.count < 20 {
                    state.problems.append("\(event.source) was answered \(answer.status): \(answer.text)")
                }
            }
            return false
        }
    }
}
