package import EventLog

/// Sending events to a target once more.
extension DeliveryEngine {
    /// Begins a replay: today's routes choose from the events of the time asked for, and they go to the target marked with
    /// the replay's number, after everything the target has of its own. Both the replay and who asked for it are on the disk
    /// when this returns.
    /// - Parameter actor: for the audit log.
    /// - Throws: `DeliveryStoreError` when it makes no sense, or there are too many.
    package func replay(_ request: ReplayRequest, by actor: String) throws -> ReplayStatus {
        try withReplays { core in try core.beginReplay(request, by: actor, core.clock()) }
    }

    /// Ends a replay: what is on its way ends, what waits for another try is given up, the rest is never looked at. One that
    /// has ended stays as it is.
    package func cancelReplay(_ number: Int64, by actor: String) throws -> ReplayStatus {
        try withReplays { core in try core.cancelReplay(number, by: actor, core.clock()) }
    }

    /// Those at work, and the newest of those that have ended, in the order they came.
    package func replays() throws -> [ReplayStatus] { try withReplays { try $0.replayStatuses() } }

    /// What a replay would send, a piece of the log at a time; nothing is sent or written.
    /// - Parameters:
    ///   - cursor: the `next` of the piece before; nil for the first one.
    ///   - limit: events listed.
    package func rehearse(
        _ request: ReplayRequest, after cursor: ReplayCursor? = nil, limit: Int = 100
    ) throws -> ReplayRehearsal {
        try rehearse(request, after: cursor, limit: limit, at: nil, unfinished: [])
    }

    /// - Parameters:
    ///   - position: where the target stands, on all instances; nil: as this engine knows.
    ///   - unfinished: what the target has on its way on other instances.
    package func rehearse(
        _ request: ReplayRequest, after cursor: ReplayCursor?, limit: Int, at position: LogPosition?,
        unfinished: Set<RecordPlace>
    ) throws -> ReplayRehearsal {
        var rehearsed = try withReplays { try $0.rehearsal(of: request, after: cursor, at: position) }
        rehearsed.unfinished.formUnion(unfinished)
        return try rehearsed.piece(log, limit: limit)
    }
}

extension EngineCore {
    fileprivate func rehearsal(
        of request: ReplayRequest, after cursor: ReplayCursor?, at position: LogPosition?
    ) throws -> RehearsedReplay {
        var (target, range) = try replayRange(request, clock(), at: position)
        if let cursor {
            guard cursor.position.offsets.count == range.start.offsets.count,
                cursor.end.offsets.count == range.end.offsets.count
            else { throw DeliveryStoreError("the cursor is not one of ours") }
            range = ReplayRange(start: cursor.position, end: range.end.lowest(cursor.end))
        }
        return RehearsedReplay(
            request: request, plan: matcher.plan, gate: matcher.gates[target.index], range: range,
            unfinished: target.state.unfinishedPlaces, decode: request.decodesAgain ? decodeAgain : nil)
    }
}
