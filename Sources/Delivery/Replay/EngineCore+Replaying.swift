internal import EventLog
internal import Events
internal import Logging

/// What replays send, after everything that the targets have of their own.
extension EngineCore {
    private static let recordsOfReplay = 128

    /// Does for the replays what can be done now.
    /// - Returns: whether anything was read.
    func workOnReplays(_ now: Moment) -> Bool {
        guard !replays.isEmpty, !store.isLost else { return false }
        let head = log.head
        sendReplays(head, now)
        let hasRead = readReplay(head, now)
        if hasRead { sendReplays(head, now) }
        return hasRead
    }

    /// Of each target one is at work: the one that came first.
    func isAtWork(_ replay: Replay) -> Bool {
        !replay.isEnding && replays.first { $0.target === replay.target && !$0.isEnding } === replay
    }

    /// Whether the target takes events, and has nothing left to read that would go first. Called after everything was sent
    /// that the target could send.
    private func isTurn(of replay: Replay, _ head: LogPosition, _ now: Moment) -> Bool {
        let target = replay.target
        guard target.sink != nil, target.readFailure == nil, isAtWork(replay), !target.sharing.isFirstLeaving else {
            return false
        }
        guard !replay.stored.request.decodesAgain || decodeAgain != nil else { return false }
        guard target.state.isActive, target.state.mayTakeOthers(now), !target.state.isUncommittedFull,
            !target.state.isOpenSetFull
        else { return false }
        return target.state.readPosition.isAtEnd(of: head) || target.state.room(now) == 0
    }

    private func sendReplays(_ head: LogPosition, _ now: Moment) {
        for replay in replays where isTurn(of: replay, head, now) {
            guard let sink = replay.target.sink else { continue }
            while replay.target.state.hasPlace, replay.target.state.rateWaitMs(now) == 0 {
                let request = replay.runtime.state.nextRequest(now, after: &replay.target.state)
                if request.isEmpty { break }
                replay.target.state.countRequestOfReplay(now)
                begin(request, replay.runtime, sink, now)
                share(replay.target, with: replay.runtime)
            }
        }
        crashWatch.passed()
    }

    /// A request of a replay has begun or ended: both know of each other's.
    func share(_ target: TargetRuntime, with runtime: TargetRuntime) {
        target.state.requestsOfReplays = replays.reduce(0) {
            $0 + ($1.target === target ? $1.runtime.state.requestsInFlight : 0)
        }
        // What switches a replay off (410) is the target's own word.
        if let reason = runtime.state.disabledReason {
            runtime.state.resume()
            target.state.switchOff(reason)
        }
    }

    /// When to look at the replays again although nothing else happens, on the monotonic clock.
    func wakesOfReplays(_ now: Moment) -> [Int64] {
        guard !replays.isEmpty else { return [] }
        let head = log.head
        return replays.compactMap { replay in
            guard isTurn(of: replay, head, now), replay.target.state.hasPlace else { return nil }
            let wait = replay.target.state.rateWaitMs(now)
            if wait > 0, replay.runtime.state.hasUnsent { return now.monotonicMs + wait }
            let wakes = [
                replay.runtime.state.wakeMs(now),
                replay.runtime.readAgainAtMs > now.monotonicMs ? replay.runtime.readAgainAtMs : nil,
            ]
            return wakes.compactMap(\.self).min()
        }
    }

    // MARK: reading

    /// Reads on for one replay that wants it.
    private func readReplay(_ head: LogPosition, _ now: Moment) -> Bool {
        let wanting = replays.filter { wantsToRead($0, head, now) }
        guard !wanting.isEmpty else { return false }
        nextReplay = (nextReplay + 1) % wanting.count
        let replay = wanting[nextReplay]
        if !replay.runtime.state.holesToLoad.isEmpty {
            fillHoles(of: replay, head, now)
        } else {
            read(replay, now)
        }
        return true
    }

    private func wantsToRead(_ replay: Replay, _ head: LogPosition, _ now: Moment) -> Bool {
        guard replay.runtime.readAgainAtMs <= now.monotonicMs, isTurn(of: replay, head, now) else { return false }
        if !replay.runtime.state.holesToLoad.isEmpty { return true }
        return !replay.range.isAtEnd(replay.runtime.state.readPosition) && replay.runtime.state.room(now) > 0
    }

    private func read(_ replay: Replay, _ now: Moment) {
        let position = replay.runtime.state.readPosition
        let piece: ReplayRange.Piece
        do throws(LogFailure) {
            let count = min(Self.recordsOfReplay, replay.runtime.state.room(now))
            piece = try replay.range.read(
                log, from: position, maximumRecords: count, maximumBytes: replay.runtime.state.policy.windowBytes / 2)
            replay.runtime.readFailure = nil
        } catch {
            guard error.code == .expired else { return refuseReading(replay, error, now) }
            piece = replay.range.afterRetention(log, position)
        }
        let unfinished = replay.target.state.unfinishedPlaces.union(replay.elsewhere)
        for record in piece.records { take(record, replay, unfinished) }
        for (partition, gap) in piece.gaps.enumerated() where gap > 0 {
            lose(gap, partition, before: piece.next.offsets[partition], replay)
        }
        crashWatch.passed()
        replay.runtime.state.endRead(at: piece.next, now)
        if piece.next == position { replay.runtime.readAgainAtMs = now.monotonicMs + 100 }
    }

    /// - Parameter unfinished: what the target has on its way.
    private func take(_ record: LogRecord, _ replay: Replay, _ unfinished: Set<RecordPlace>) {
        if replay.runtime.state.passKnown(record.place, isSystem: false) { return }
        guard !unfinished.contains(record.place), !record.isRepeat else {
            return replay.runtime.state.skip(record.place)
        }
        switch verdict(on: record, replay) {
        case .taken(let event, let routes):
            replay.runtime.state.take(event, matcher.routeSet(routes, store))
        case .filtered: replay.runtime.state.pass(record.place)
        case .refused(let event, let routes, let reason):
            replay.runtime.state.refuse(event, matcher.routeSet(routes, store), reason)
        case .erased: replay.runtime.state.discard(record.place)
        case .skipped(let why):
            if let why { tell(replay, why, record) }
            replay.runtime.state.skip(record.place)
        }
    }

    private func verdict(on record: LogRecord, _ replay: Replay) -> ReplaySelection.Verdict {
        guard crashWatch.mayBegin(0, record.place) else {
            return .skipped(why: "the program died several times while it read the event")
        }
        var gate = matcher.gates[replay.target.index]
        defer { matcher.gates[replay.target.index] = gate }
        return replay.selection.verdict(on: record, plan: matcher.plan, gate: &gate, decode: decodeAgain)
    }

    private func tell(_ replay: Replay, _ why: String, _ record: LogRecord) {
        guard replay.told.count < Replay.mostTold, replay.told.insert(why).inserted else { return }
        logger.warning(
            "replay_skipped", "Replay \(replay.number) leaves out events of the source \(record.source): \(why).",
            ["replay": .integer(replay.number), "source": .string(record.source), "id": .string(record.id.hex)])
    }

    private func lose(_ count: Int64, _ partition: Int, before offset: Int64, _ replay: Replay) {
        replay.runtime.state.lose(Int32(partition), before: offset, count: count)
        logger.warning(
            "replay_expired", "The log no longer has \(count) events that replay \(replay.number) was to send.",
            ["replay": .integer(replay.number), "target": .string(replay.target.name), "events": .integer(count)])
    }

    private func refuseReading(_ replay: Replay, _ failure: LogFailure, _ now: Moment) {
        replay.runtime.readAgainAtMs = now.monotonicMs + 1000
        if replay.runtime.readFailure != failure.code.rawValue {
            logger.error(
                "log_unreadable", "The log cannot be read for replay \(replay.number): \(failure.message)",
                ["target": .string(replay.target.name), "reason": .string(failure.code.rawValue)])
        }
        replay.runtime.readFailure = failure.code.rawValue
    }

    /// Reads the events again that were on their way when an earlier run ended.
    private func fillHoles(of replay: Replay, _ head: LogPosition, _ now: Moment) {
        let state = { (change: (inout TargetState) -> Void) in change(&replay.runtime.state) }
        for hole in replay.runtime.state.holesToLoad {
            do throws(LogFailure) {
                guard let record = try log.record(at: hole) else {
                    state { $0.drop(hole, as: \.expired) }
                    continue
                }
                switch verdict(on: record, replay) {
                case .taken(let event, let routes):
                    state { $0.fill(hole, with: event, matcher.routeSet(routes, store), now) }
                case .filtered: state { $0.drop(hole, as: \.filtered) }
                case .refused(let event, let routes, let reason):
                    state { $0.refuse(hole, event, matcher.routeSet(routes, store), reason, now) }
                case .erased: state { $0.drop(hole, as: \.discarded) }
                case .skipped(let why):
                    if let why { tell(replay, why, record) }
                    state { $0.drop(hole, as: \.skipped) }
                }
            } catch {
                return refuseReading(replay, error, now)
            }
        }
        crashWatch.passed()
    }
}
