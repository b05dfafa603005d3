import Delivery
import Events
import SimulatedDisk

/// A time in which some of the disk's operations fail.
struct DiskTrouble {
    var until: Int64
    /// Part of a path.
    var path: String
    var operations: Set<SimulatedDisk.Operation>
    var verdict: SimulatedDisk.Verdict
    /// One of so many.
    var every: Int
}

/// What goes wrong, and what people do.
extension World {
    func judge(_ operation: SimulatedDisk.Operation, _ path: String) -> SimulatedDisk.Verdict {
        if operation != .read, disk.changes == crashAtChange {
            crashAtChange = nil
            trace("crash at change \(disk.changes): \(operation) of \(path)")
            return random.oneIn(2) ? .crashBefore : .crashAfter
        }
        if let verdict = bug?.verdict(operation, path) { return verdict }
        guard !troubles.isEmpty else { return .proceed }
        troubles.removeAll { $0.until <= now }
        for trouble in troubles
        where trouble.operations.contains(operation) && path.contains(trouble.path) && random.oneIn(trouble.every) {
            trace("\(operation) of \(path) fails (\(trouble.verdict))")
            noteFault(path)
            return trouble.verdict
        }
        return .proceed
    }

    private func noteFault(_ path: String) {
        figures.faults += 1
        disturbedAt = now
        // The program goes back to what was surely written, once what is under way has ended.
        if path.contains("state.db") { excuse(now - Self.powerCutWindow...now + .seconds(45)) }
    }

    func beginTrouble() {
        guard !isHealed else { return }
        let kinds: [(Set<SimulatedDisk.Operation>, SimulatedDisk.Verdict)] = [
            ([.synchronize], .fail), ([.write], .fail), ([.write], .full), ([.read], .fail), ([.truncate], .fail),
            ([.create, .remove], .fail), ([.write, .synchronize, .truncate], .fail),
        ]
        let (operations, verdict) = kinds.randomElement(using: &random)!
        troubles.append(
            DiskTrouble(
                until: now + .milliseconds(random.integer(1...20_000)),
                path: ["events.db", "events.db-wal", "state.db", ""].randomElement(using: &random)!,
                operations: operations, verdict: verdict, every: [1, 2, 10].randomElement(using: &random)!))
    }

    func pauseSomeTarget() {
        guard !isHealed, let engine = instance?.engine, let receiver = receivers.randomElement(using: &random) else {
            return
        }
        let name = receiver.plan.name
        disturbedAt = now
        guard (try? engine.pause(name)) != nil else { return }
        trace("\(name) is paused")
        paused.insert(name)
        scheduler.after(Int64.random(in: 0...scenario.duration / 2, using: &random)) { [self] in resume(name) }
    }

    private func resume(_ name: String) {
        guard let engine = instance?.engine, paused.contains(name) else { return }
        disturbedAt = now
        guard (try? engine.resume(name)) != nil else { return }
        trace("\(name) is resumed")
        paused.remove(name)
        engineHasWork()
    }

    func jumpClock() {
        disturbedAt = now
        wallSkewMs += Int64(random.integer(-300_000...300_000))
        trace("the wall clock is set to \(wallMs)")
    }

    /// From here on nothing goes wrong any more.
    func heal() {
        trace("everything is well")
        isHealed = true
        troubles = []
        crashAtChange = nil
        crashAtAction = nil
        disk.capacity = nil
        disturbedAt = now
        for receiver in receivers { receiver.comeBack() }
        careForTargets()
    }

    /// People see to it that no target stays switched off.
    private func careForTargets() {
        if let engine = instance?.engine {
            for target in engine.targets() where target.standing.name == "paused" || target.standing.name == "disabled"
            {
                try? engine.resume(target.name)
                engineHasWork()
            }
        }
        scheduler.after(.seconds(60)) { [self] in careForTargets() }
    }
}
