internal import EventLog
internal import Events
internal import Logging
internal import Rules
internal import Targets

extension EngineCore {
    /// Brings the targets in line with the configuration. When anything fails, nothing has changed.
    func configure(_ plan: RulePlan, _ blueprints: [any TargetBlueprint], _ now: Moment) throws {
        var sinks: [String: Sink] = [:]
        do {
            for blueprint in blueprints where blueprint.settings.enabled && needsSink(blueprint) {
                sinks[blueprint.settings.name] = newSink(try makeTarget(blueprint), name: blueprint.settings.name)
            }
            try enter(blueprints, now)
        } catch {
            for sink in sinks.values { sink.retire() }
            throw error
        }
        for runtime in runtimes {
            let blueprint = blueprints.first { $0.settings.name == runtime.name }
            apply(blueprint, sinks[runtime.name], to: runtime)
            try? store.describe(
                runtime.id, type: blueprint?.settings.type ?? runtime.stored.type,
                destination: blueprint?.destination ?? runtime.stored.destination, isRemoved: blueprint == nil)
            logStanding(runtime, now)
        }
        use(plan, now)
        adaptReplays(now)
    }

    /// A target that did not change keeps its connections.
    private func needsSink(_ blueprint: any TargetBlueprint) -> Bool {
        guard let runtime = runtimes.first(where: { $0.name == blueprint.settings.name }), runtime.sink != nil,
            let settings = runtime.settings
        else { return true }
        return settings.fingerprint != blueprint.settings.fingerprint || settings.fingerprint.isEmpty
    }

    private func apply(_ blueprint: (any TargetBlueprint)?, _ sink: Sink?, to runtime: TargetRuntime) {
        let isEnabled = blueprint?.settings.enabled ?? false
        if sink != nil || !isEnabled { runtime.replaceSink(sink) }
        runtime.settings = blueprint?.settings
        if let blueprint {
            runtime.stored.type = blueprint.settings.type
            runtime.stored.destination = blueprint.destination
        }
        runtime.stored.isRemoved = blueprint == nil
        var policy = blueprint.map { TargetPolicy($0.settings) } ?? runtime.state.policy
        policy.windowBytes = windowBytes
        adjust(&policy)
        runtime.state.setPolicy(policy, isEnabled: isEnabled)
    }

    /// Memory for events read ahead, by target: all of them together keep to a bound.
    var windowBytes: Int { max(128 << 10, min(1 << 20, (8 << 20) / max(1, runtimes.count))) }

    /// From here on another plan matches what the positions have not passed.
    private func use(_ plan: RulePlan, _ now: Moment) {
        commit(now)
        matcher = Matcher(plan, errors: routeErrors)
        cache.removeAll()
        for runtime in working { runtime.state.forgetUnsent() }
        makeGates()
        runtimeOfPlanTarget = plan.targets.map { name in runtimes.firstIndex { $0.name == name } }
        guard keeper == nil else { return }
        do {
            try store.begin(
                plan: plan.hash, for: runtimes.map { ($0.id, $0.committedCursor.position) }, nowMs: now.wallMs)
        } catch {
            reportStoreFailure(error)
        }
    }

    private func makeGates() {
        matcher.gates = [:]
        for runtime in runtimes { matcher.gates[runtime.index] = AdmissionGate(runtime.settings, matcher.plan) }
    }

    // MARK: new targets

    /// Enters targets that were never there, and takes up those the state file knows.
    private func enter(_ blueprints: [any TargetBlueprint], _ now: Moment) throws {
        let known = Set(try store.targets().map(\.name))
        for blueprint in blueprints where !known.contains(blueprint.settings.name) {
            try store.create(try newTarget(blueprint, now))
        }
        for var stored in try store.targets() where byID[stored.id] == nil {
            let state = try takeUp(&stored, now)
            let runtime = TargetRuntime(stored, state: state, metrics: TargetMetrics(stored.name, registry))
            runtime.index = runtimes.count
            runtimes.append(runtime)
            byID[stored.id] = runtime
        }
    }

    /// The state an earlier run left; where several instances share the work, one that owns nothing yet.
    private func takeUp(_ stored: inout StoredTarget, _ now: Moment) throws -> TargetState {
        if keeper != nil {
            let state = TargetState.shared(
                partitions: log.head.offsets.count, policy: TargetPolicy(), now, seed: seed())
            stored.cursor = state.cursor
            return state
        }
        try check(stored)
        let restored = RestoredTarget(cursor: stored.cursor, open: try store.openEvents(stored.id))
        return TargetState(restored, policy: TargetPolicy(), now, seed: seed())
    }

    private func newTarget(_ blueprint: any TargetBlueprint, _ now: Moment) throws -> NewTarget {
        if keeper != nil {
            return NewTarget(
                name: blueprint.settings.name, type: blueprint.settings.type, destination: blueprint.destination,
                createdAtMs: now.wallMs, start: .none(count: log.head.offsets.count), beforeStart: 0,
                systemBeforeStart: 0)
        }
        let (statistics, head) = snapshot(of: log)
        let start: LogPosition
        switch blueprint.settings.start {
        case .now: start = head
        case .beginning: start = log.beginning
        case .time(let time): start = try log.position(at: time.milliseconds)
        }
        let system = statistics.system == 0 ? 0 : try systemEvents(from: start, to: head)
        let ahead = log.count(from: start, to: head)
        return NewTarget(
            name: blueprint.settings.name, type: blueprint.settings.type, destination: blueprint.destination,
            createdAtMs: now.wallMs, start: start, beforeStart: statistics.accepted - (ahead - system),
            systemBeforeStart: statistics.system - system)
    }

    /// Counts the `system.…` events between two positions, which no index does.
    private func systemEvents(from start: LogPosition, to end: LogPosition) throws -> Int64 {
        var count: Int64 = 0
        var position = start
        while !position.isAtEnd(of: end) {
            let batch = try log.read(from: position, maximumRecords: 1000, maximumBytes: 1 << 20)
            guard batch.next != position else { break }
            count += Int64(batch.records.count { $0.isSystem && !end.isPast($0.place) == false })
            position = batch.next
        }
        return count
    }

    /// A cursor beyond the log's end: the log has lost events, or the two files do not belong together.
    private func check(_ stored: StoredTarget) throws {
        let head = log.head
        let position = stored.cursor.position
        guard position.offsets.count == head.offsets.count else {
            throw DeliveryStoreError(
                "the state file is of another log: it has \(position.offsets.count) partitions, the log \(head.offsets.count)"
            )
        }
        for (partition, (offset, end)) in zip(position.offsets, head.offsets).enumerated() where offset > end {
            throw DeliveryStoreError(
                "the log ends before events that the target \(stored.name) has had (\(end) of \(offset), partition "
                    + "\(partition)): the log has lost its end, or `state.db` and the log are not of one instance")
        }
    }

    // MARK: operators

    func runtime(named name: String) -> TargetRuntime? { runtimes.first { $0.name == name } }

    /// Removes a target that is no longer configured, with all that is known of it.
    func forget(_ runtime: TargetRuntime) throws {
        guard runtime.settings == nil else {
            throw DeliveryStoreError("the target \(runtime.name) is still configured: remove it there first")
        }
        guard runtime.sharing.shards.isEmpty else {
            throw DeliveryStoreError("deliveries to the target \(runtime.name) are still ending: try again in a moment")
        }
        try store.forget(runtime.id)
        runtime.closeAll()
        byID[runtime.id] = nil
        forgetReplays(of: runtime)
        cache.removeAll()
        runtimes.removeAll { $0 === runtime }
        for (index, runtime) in runtimes.enumerated() { runtime.index = index }
        makeGates()
        runtimeOfPlanTarget = matcher.plan.targets.map { name in runtimes.firstIndex { $0.name == name } }
    }
}
