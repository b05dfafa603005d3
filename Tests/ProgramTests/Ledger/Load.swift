import Foundation
import Synchronization

/// Signed load of all senders on connections of their own, and the account of what was answered. It goes on while the
/// program is killed and started again: what was not acknowledged is sent again, as the senders do, or given up.
final class Load: Sendable {
    struct Account {
        var acknowledged: [String: SentEvent.Canonical] = [:]
        /// Sent at least once, acknowledged or not.
        var sent: Set<String> = []
        /// Acknowledged requests that were sent once more, on purpose.
        var repeatsAcknowledged = 0
        /// Answers 503 and requests without an answer.
        var unanswered = 0
        /// Answers that must not be.
        var problems: [String] = []
    }

    private struct State {
        var account = Account()
        /// Nil while nothing listens.
        var port: Int?
        var isStopping = false
        var running = 0
    }

    private let shared = Mutex(State())
    private let seed: UInt64
    /// Between two requests of one connection.
    private let pauseMicroseconds: UInt32

    init(seed: UInt64, pauseMicroseconds: UInt32 = 2000) {
        self.seed = seed
        self.pauseMicroseconds = pauseMicroseconds
    }

    var account: Account { shared.withLock(\.account) }

    /// - Parameter port: nil while nothing listens.
    func aim(at port: Int?) { shared.withLock { $0.port = port } }

    /// Starts one connection for each of the senders.
    func start(_ senders: [Sender] = Sender.allCases + [.signinapp, .envoy]) {
        shared.withLock { $0.running = senders.count }
        for (number, sender) in senders.enumerated() {
            Thread.detachNewThread { [self] in
                run(sender, number, SeededGenerator(seed &+ UInt64(number)))
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

    /// One more request, in the account as the others are.
    func post(_ event: SentEvent, to service: Service) async throws -> Answer {
        shared.withLock { $0.account.sent.formUnion(event.events.map(\.id)) }
        let answer = try await service.post(event)
        _ = take(answer, event)
        return answer
    }

    private func run(_ sender: Sender, _ number: Int, _ generator: SeededGenerator) {
        var random = generator
        var connection: (port: Int, RawConnection)?
        var pending: SentEvent?
        var sequence = 0
        while true {
            let (port, isStopping) = shared.withLock { ($0.port, $0.isStopping) }
            if isStopping, pending == nil { return }
            guard let port else {
                connection = nil
                usleep(2000)
                continue
            }
            // Most are sent until they are acknowledged; a sender may also give up.
            let isGivenUp = !isStopping && Int.random(in: 0..<5, using: &random) == 0
            let event = pending.flatMap { isGivenUp ? nil : $0 } ?? next(sender, number, &sequence, &random)
            pending = event
            do {
                if connection?.port != port { connection = (port, try RawConnection(port: port)) }
                let answer = try post(event, on: connection!.1)
                if take(answer, event) {
                    pending = nil
                    if Int.random(in: 0..<30, using: &random) == 0 { try repeatOnce(event, on: connection!.1) }
                }
            } catch {
                shared.withLock { $0.account.unanswered += 1 }
                connection = nil
            }
            usleep(pauseMicroseconds)
        }
    }

    private func next(
        _ sender: Sender, _ number: Int, _ sequence: inout Int, _ random: inout SeededGenerator
    ) -> SentEvent {
        sequence += 1
        let event = sender.event(
            "load-\(number)-\(sequence)", site: Bool.random(using: &random) ? 4567 : 8910,
            leaving: Bool.random(using: &random), elements: Int.random(in: 1...8, using: &random))
        shared.withLock { $0.account.sent.formUnion(event.events.map(\.id)) }
        return event
    }

    private func post(_ event: SentEvent, on connection: RawConnection) throws -> Answer {
        try connection.post(event.path, Array(event.body.utf8), headers: event.headers)
    }

    /// - Returns: whether it was acknowledged.
    private func take(_ answer: Answer, _ event: SentEvent) -> Bool {
        shared.withLock { state in
            switch answer.status {
            case 200:
                for canonical in event.events { state.account.acknowledged[canonical.id] = canonical }
                return true
            case 503 where answer.headers["retry-after"] != nil: state.account.unanswered += 1
            default:
                if state.account.problems.count < 20 {
                    state.account.problems.append("\(event.source) was answered \(answer.status): \(answer.text)")
                }
            }
            return false
        }
    }

    /// A sender that did not hear the answer sends again: it is acknowledged again.
    private func repeatOnce(_ event: SentEvent, on connection: RawConnection) throws {
        guard take(try post(event, on: connection), event) else { return }
        shared.withLock { $0.account.repeatsAcknowledged += event.events.count }
    }
}

/// SplitMix64: the same seed gives the same run, as far as the program's own timing lets it.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
