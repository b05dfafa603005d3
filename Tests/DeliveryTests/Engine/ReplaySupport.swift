import EventLog
import Events
import Synchronization
import Targets
import TestSupport

@testable import Delivery

/// What a target was sent, and by which replay.
final class ReplayWatch: Sendable {
    struct Sent: Hashable, Sendable {
        var event: EventID
        var type: String
        var replay: Int64?
        var routes: [String]
    }

    private let list = Mutex<[Sent]>([])

    /// Watches from now on.
    func watch(
        _ target: ScriptedTarget,
        answer: @escaping @Sendable (OutgoingEvent) -> ScriptedTarget.Answer = { _ in .now(delivered) }
    ) {
        target.answer { [self] outgoing in
            let event = outgoing.event
            let sent = Sent(
                event: event.id!, type: event.attribute("type") ?? "", replay: outgoing.replay,
                routes: outgoing.routes)
            list.withLock { $0.append(sent) }
            return answer(outgoing)
        }
    }

    var sent: [Sent] { list.withLock { $0 } }
    /// What replays sent.
    var replayed: [Sent] { sent.filter { $0.replay != nil } }
}

extension EngineHarness {
    /// Waits for a replay's end.
    func ended(_ number: Int64) async -> ReplayStatus? {
        let isEnded = await poll { try! self.replay(number)?.state.isEnded ?? false }
        return isEnded ? try? replay(number) : nil
    }

    func replay(_ number: Int64) throws -> ReplayStatus? { try engine.replays().first { $0.number == number } }

    /// Appends events of these moments of receipt.
    func append(received times: [Int64], from number: UInt64) async throws -> [EventID] {
        let records = times.enumerated().map { newRecord(number + UInt64($0.offset), receivedAtMs: $0.element) }
        let log = log
        _ = try await withCheckedThrowingContinuation { continuation in
            log.append(AppendBatch(records: records)) { continuation.resume(with: $0) }
        }
        return records.map(\.id)
    }
}

/// A clock that stands still until it is moved.
final class ManualClock: Sendable {
    private let moment = Mutex(Moment.now())

    var now: Moment { moment.withLock { $0 } }
    func advance(_ milliseconds: Int64) { moment.withLock { $0 = $0.advanced(byMs: milliseconds) } }
}
