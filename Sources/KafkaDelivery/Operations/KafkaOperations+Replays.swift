package import Delivery
internal import EventLog
internal import Glibc
internal import Kafka
internal import KafkaLog

/// Replays are asked for, listed and cancelled on any instance, and carried out by the one that owns the target's first
/// shard.
extension KafkaOperations {
    /// Replays that have not ended, and those remembered in all.
    private static let maximumActive = 16
    private static let maximumRemembered = 1000
    /// Those that have ended are remembered so long at least, in milliseconds: their history may be asked for.
    private static let historyMs: Int64 = 3 * 86_400_000
    /// Those that have ended are listed until there are so many newer ones.
    private static let listed = 100

    package func replay(_ request: ReplayRequest, by actor: String) throws -> ReplayStatus {
        guard let place = try view.place(of: request.target) else {
            throw DeliveryStoreError("there is no target \(request.target)")
        }
        let (start, end, events) = try engine.replayRange(request, at: place.position)
        try checkRoom()
        let nowMs = Moment.now().wallMs
        let record = ReplayRecord(
            request: request, by: actor, createdAtMs: nowMs, start: start, end: end, events: events)
        // The offset of a record that takes nothing away: a number that no other replay has.
        let number = try written(.command(Self.newID()), nil)
        try audit("replay.begin", number, request, actor, "\(request.auditDetail)", nowMs)
        _ = try written(.replay(target: request.target, number: number), record.encoded(layout))
        return try status(number)
    }

    /// - Returns: the record's offset.
    private func written(_ key: ControlKey, _ value: [UInt8]?) throws(DeliveryStoreError) -> Int64 {
        do throws(KafkaFailure) {
            return try control.write(key, value, within: Self.patience)
        } catch {
            throw DeliveryStoreError("Kafka does not take this: \(error.message)")
        }
    }

    package func cancelReplay(_ number: Int64, by actor: String) throws -> ReplayStatus {
        let status = try status(number)
        guard !status.state.isEnded, status.state != .cancelling else { return status }
        let key = ControlKey.replay(target: status.request.target, number: number)
        guard var record = control.value(key)?.record(ReplayRecord.self, StateDecoder(layout)) else { return status }
        try audit("replay.cancel", number, status.request, actor, "", Moment.now().wallMs)
        record.phase = .ending
        record.cancelled = ReplayDesk.by + actor
        _ = try written(key, record.encoded(layout))
        _ = changed.wait(within: Self.patience) {
            control.value(key)?.record(ReplayRecord.self, StateDecoder(layout))?.phase == .ended
        }
        return try self.status(number)
    }

    package func replays() throws -> [ReplayStatus] {
        let here = Dictionary(try engine.replays().map { ($0.number, $0) }) { first, _ in first }
        return try view.replays().map { shared in
            var status = shared
            guard !status.state.isEnded, status.state != .cancelling else { return status }
            // What is carried out by another instance stands there as it stands.
            status.state = here[status.number].map { $0.state.isEnded ? .running : $0.state } ?? .running
            status.reason = here[status.number]?.reason
            return status
        }
    }

    package func rehearse(
        _ request: ReplayRequest, after cursor: ReplayCursor?, limit: Int
    ) throws -> ReplayRehearsal {
        let place = try view.place(of: request.target)
        let deadline = ContinuousClock.now + Self.patience
        var cursor = cursor
        while true {
            let piece = try engine.rehearse(
                request, after: cursor, limit: limit, at: place?.position, unfinished: place?.unfinished ?? [])
            // The log gives nothing while a broker is being asked.
            guard piece.events == 0, let next = piece.next, ContinuousClock.now < deadline else { return piece }
            cursor = next
            usleep(20_000)
        }
    }

    private func status(_ number: Int64) throws(DeliveryStoreError) -> ReplayStatus {
        view.outdate()
        let found: ReplayStatus?
        do {
            found = try replays().first { $0.number == number }
        } catch {
            throw DeliveryStoreError("the replays cannot be read: \(error)")
        }
        guard let found else { throw DeliveryStoreError("there is no replay \(number)") }
        return found
    }

    private func audit(
        _ action: String, _ number: Int64, _ request: ReplayRequest, _ actor: String, _ detail: String, _ nowMs: Int64
    ) throws {
        try audit(
            AuditEntry(
                atMs: nowMs, actor: actor, action: action, subject: request.target,
                detail: detail.isEmpty ? "replay=\(number)" : "replay=\(number) \(detail)"))
    }

    /// Old ones make room for a new one.
    private func checkRoom() throws {
        let decoder = StateDecoder(layout)
        let known = control.entries { if case .replay = $0 { true } else { false } }
            .compactMap { entry in entry.record(ReplayRecord.self, decoder).map { (key: entry.key, record: $0) } }
        let active = known.count { $0.record.phase != .ended }
        guard active < Self.maximumActive else {
            throw DeliveryStoreError(
                "\(Self.maximumActive) replays are at work already: wait for one to end, or cancel one")
        }
        let oldestMs = Moment.now().wallMs - Self.historyMs
        let ended = known.filter { $0.record.phase == .ended }
        var left = known.count
        for (key, record) in ended.dropLast(Self.listed) where record.endedAtMs ?? 0 < oldestMs {
            guard case .replay(let target, let number) = key, try !view.hasDeadLetters(replay: number) else { continue }
            control.write(.replayCursor(target: target, number: number), nil)
            control.write(key, nil)
            left -= 1
        }
        guard left < Self.maximumRemembered else {
            throw DeliveryStoreError(
                "\(Self.maximumRemembered) replays are remembered already: they go when their history has, and "
                    + "their dead letters are decided about")
        }
    }
}
