internal import EventLog
internal import Events
internal import Logging
internal import Rules

/// Targets that stand at the same place of the log and have room.
private struct ReadingGroup {
    var position: LogPosition
    var members: [TargetRuntime]
    /// Fewer records than a whole batch are wanted.
    var limit: Int?

    var distance: Int64 { position.offsets.reduce(0, +) }
}

extension EngineCore {
    /// Of one read. Every target takes whole batches, so that they meet at the same places.
    private static let batchRecords = 256
    private static let batchBytes = 256 << 10
    private static let holesOfTurn = 64

    /// Reads on for the targets that want it: once for those that lead, and once for one group that fell behind, because
    /// catching up must not keep waiting what has just come. What was read a moment ago costs nothing again.
    /// - Returns: whether anything was read.
    func read(_ now: Moment) -> Bool {
        let head = log.head
        var hasRead = false
        for runtime in runtimes where runtime.wantsHoles(now) {
            fillHoles(runtime, before: head, now)
            hasRead = true
        }
        var behind: [ReadingGroup] = []
        for group in groups(head, now) {
            hasRead = true
            if group.limit == nil, let batch = cache.batch(from: group.position, now) {
                distribute(batch, to: group, now)
            } else {
                behind.append(group)
            }
        }
        guard let leading = behind.indices.max(by: { behind[$0].distance < behind[$1].distance }) else {
            return hasRead
        }
        read(for: behind.remove(at: leading), now)
        if !behind.isEmpty {
            nextLaggard = (nextLaggard + 1) % behind.count
            read(for: behind[nextLaggard], now)
        }
        return true
    }

    private func groups(_ head: LogPosition, _ now: Moment) -> [ReadingGroup] {
        var groups: [ReadingGroup] = []
        for runtime in runtimes where runtime.readAgainAtMs <= now.monotonicMs {
            let position = runtime.state.readPosition
            guard !position.isAtEnd(of: head) else { continue }
            let room = runtime.state.room(now)
            guard room > 0 else { continue }
            if room < Self.batchRecords {
                groups.append(ReadingGroup(position: position, members: [runtime], limit: room))
            } else if let index = groups.firstIndex(where: { $0.limit == nil && $0.position == position }) {
                groups[index].members.append(runtime)
            } else {
                groups.append(ReadingGroup(position: position, members: [runtime]))
            }
        }
        return groups
    }

    private func read(for group: ReadingGroup, _ now: Moment) {
        do throws(LogFailure) {
            let read = try log.read(
                from: group.position, maximumRecords: group.limit ?? Self.batchRecords,
                maximumBytes: min(Self.batchBytes, windowBytes / 4))
            let batch = parse(read, from: group.position, now)
            if group.limit == nil { cache.insert(batch) }
            distribute(batch, to: group, now)
            for runtime in group.members where runtime.readFailure != nil {
                runtime.readFailure = nil
                logStanding(runtime, now)
            }
        } catch {
            if error.code == .expired {
                loseExpired(group, now)
            } else {
                for runtime in group.members { refuseReading(runtime, error, now) }
            }
        }
    }

    private func parse(_ read: LogBatch, from position: LogPosition, _ now: Moment) -> ReadBatch {
        var batch = ReadBatch(from: position, next: read.next, records: [], footprint: 0, readAtMs: now.monotonicMs)
        batch.records.reserveCapacity(read.records.count)
        for record in read.records {
            var parsed = ReadBatch.Record(
                place: record.place, isSystem: record.isSystem, isErased: record.isErased, isRepeat: record.isRepeat,
                event: nil, takers: [])
            if !record.isErased, !record.isRepeat { (parsed.event, parsed.takers) = match(record) }
            batch.footprint += 128 + (parsed.event?.footprint ?? 0)
            batch.records.append(parsed)
        }
        crashWatch.passed()
        return batch
    }

    /// The targets that take a record, and the event for them; nil when there are none. One that cannot be read is
    /// everybody's: it becomes a dead letter wherever it might have gone.
    private func match(_ record: LogRecord) -> (event: LoggedEvent?, takers: [ReadBatch.Taker]) {
        guard crashWatch.mayBegin(0, record.place) else {
            return (LoggedEvent(record, view: nil, flaw: "crashed"), everybody)
        }
        guard let view = try? EventView(parsing: record.payload, with: parser) else {
            return (LoggedEvent(record, view: nil), everybody)
        }
        var takers: [ReadBatch.Taker] = []
        for match in matcher.match(view) {
            guard let runtime = runtimeOfPlanTarget[match.targetIndex] else { continue }
            takers.append(
                ReadBatch.Taker(
                    runtime: runtime, routes: matcher.routeSet(match.routes, store), planRoutes: match.routes,
                    refusal: matcher.refusal(runtime, of: view)))
        }
        if let observer, takers.isEmpty { observer(.filtered(LoggedEvent(record, view: view))) }
        return (takers.isEmpty ? nil : LoggedEvent(record, view: view), takers)
    }

    private var everybody: [ReadBatch.Taker] {
        runtimes.map { ReadBatch.Taker(runtime: $0.index, routes: Self.noRoutes, planRoutes: []) }
    }

    private static let noRoutes = RouteSet(id: 0, names: [])

    private func distribute(_ batch: ReadBatch, to group: ReadingGroup, _ now: Moment) {
        for runtime in group.members {
            for record in batch.records {
                if runtime.state.passKnown(record.place, isSystem: record.isSystem) { continue }
                if record.isRepeat {
                    runtime.state.skip(record.place, isSystem: record.isSystem)
                } else if record.isErased {
                    runtime.state.discard(record.place, isSystem: record.isSystem)
                } else if let event = record.event,
                    let taker = record.takers.first(where: { $0.runtime == runtime.index })
                {
                    if let refusal = taker.refusal {
                        runtime.state.refuse(event, taker.routes, refusal)
                    } else {
                        runtime.state.take(event, taker.routes)
                    }
                    if let observer { observe(event, taker, runtime, observer) }
                } else {
                    runtime.state.pass(record.place, isSystem: record.isSystem)
                }
            }
            loseGaps(runtime, batch)
            runtime.state.endRead(at: batch.next, now)
            // A log that has more and gives nothing must not be asked again and again.
            if batch.next == group.position { runtime.readAgainAtMs = now.monotonicMs + 100 }
        }
    }

    private func observe(
        _ event: LoggedEvent, _ taker: ReadBatch.Taker, _ runtime: TargetRuntime,
        _ observer: @Sendable (DeliveryObservation) -> Void
    ) {
        guard let view = event.view else { return }
        if let refusal = taker.refusal {
            return observer(.refused(event, target: runtime.name, routes: taker.routes.names, refusal))
        }
        observer(
            .taken(
                event, target: runtime.name, routes: taker.routes.names,
                reasons: matcher.reasons(taker.planRoutes, view)))
    }

    /// Records the log skipped, because it lost them, are counted as expired.
    private func loseGaps(_ runtime: TargetRuntime, _ batch: ReadBatch) {
        let from = batch.from
        guard batch.next.offsets.reduce(0, +) - from.offsets.reduce(0, +) > Int64(batch.records.count) else { return }
        for (partition, end) in batch.next.offsets.enumerated() {
            let records = batch.records.count { $0.place.partition == partition }
            let gap = end - from.offsets[partition] - Int64(records)
            guard gap > 0 else { continue }
            runtime.state.lose(Int32(partition), before: end, count: gap)
            logger.error(
                "events_lost", "The log has lost \(gap) events that the target \(runtime.name) had not got.",
                ["target": .string(runtime.name), "from": .integer(from.offsets[partition]), "before": .integer(end)])
        }
    }

    /// Retention went past the target's position: what it removed can only be counted.
    private func loseExpired(_ group: ReadingGroup, _ now: Moment) {
        let beginning = log.beginning
        for runtime in group.members {
            var next = group.position
            for partition in next.offsets.indices
            where next.offsets[partition] != LogPosition.unread
                && next.offsets[partition] < beginning.offsets[partition]
            {
                let lost = beginning.offsets[partition] - next.offsets[partition]
                next.offsets[partition] = beginning.offsets[partition]
                runtime.state.lose(Int32(partition), before: next.offsets[partition], count: lost)
                logger.error(
                    "events_expired",
                    "The log no longer has \(lost) events that the target \(runtime.name) had not got.",
                    ["target": .string(runtime.name), "before": .string(beginning.description)])
            }
            runtime.state.endRead(at: next, now)
        }
    }

    private func refuseReading(_ runtime: TargetRuntime, _ failure: LogFailure, _ now: Moment) {
        runtime.readAgainAtMs = now.monotonicMs + 1000
        if runtime.readFailure != failure.code.rawValue {
            logger.error(
                "log_unreadable", "The log cannot be read for the target \(runtime.name): \(failure.message)",
                ["target": .string(runtime.name), "reason": .string(failure.code.rawValue)])
        }
        runtime.readFailure = failure.code.rawValue
        logStanding(runtime, now)
    }

    // MARK: holes of an earlier run

    /// Reads the events again that were on their way when an earlier run ended.
    func fillHoles(_ runtime: TargetRuntime, before end: LogPosition, _ now: Moment) {
        // Where reading takes its time, the rest has to wait for the next turn.
        let holes = runtime.state.holesToLoad.prefix(keeper == nil ? Int.max : Self.holesOfTurn)
        for hole in holes where end.isPast(hole) {
            do throws(LogFailure) {
                try fill(hole, runtime, now)
            } catch {
                return refuseReading(runtime, error, now)
            }
        }
    }

    private func fill(_ hole: RecordPlace, _ runtime: TargetRuntime, _ now: Moment) throws(LogFailure) {
        guard let record = try log.record(at: hole) else { return runtime.state.drop(hole, as: \.expired) }
        if record.isErased { return runtime.state.drop(hole, as: \.discarded, isSystem: record.isSystem) }
        let (event, takers) = match(record)
        crashWatch.passed()
        guard let event, let taker = takers.first(where: { $0.runtime == runtime.index }) else {
            return runtime.state.drop(hole, as: \.filtered, isSystem: record.isSystem)
        }
        if let refusal = taker.refusal {
            runtime.state.refuse(hole, event, taker.routes, refusal, now)
        } else {
            runtime.state.fill(hole, with: event, taker.routes, now)
        }
    }
}
