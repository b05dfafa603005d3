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

/// What goes wrong.
extension World {
    func judge(_ operation: SimulatedDisk.Operation, _ path: String) -> SimulatedDisk.Verdict {
        if operation != .read, disk.changes == crashAtChange {
            crashAtChange = nil
            trace("crash at change \(disk.changes): \(operation) of \(path)")
            if case .change(_, let isDone)? = swept?.place { return isDone ? .crashAfter : .crashBefore }
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
        if path.contains("state.db") { excuse(min(now, fullSince ?? now) - Self.powerCutWindow...now + .seconds(45)) }
    }

    func beginTrouble() {
        guard !isHealed else { return }
        if random.oneIn(6) { return fillDisk() }
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

    /// Somebody else takes the room there is, for a while.
    private func fillDisk() {
        let room = random.integer(0...60_000)
        trace("\(room) bytes are left on the disk")
        disk.capacity = disk.usedBytes + room
        figures.faults += 1
        disturbedAt = now
        fullSince = fullSince ?? now
        scheduler.after(.milliseconds(random.integer(1...60_000))) { [self] in
            disk.capacity = nil
            disturbedAt = now
            // By then what could not be written has been.
            scheduler.after(.seconds(3)) { [self] in if disk.capacity == nil { fullSince = nil } }
        }
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
        if swept == nil {
            crashAtChange = nil
            crashAtAction = nil
        }
        disk.capacity = nil
        disturbedAt = now
        for receiver in receivers { receiver.comeBack() }
        careForTargets()
        if receivers.contains(where: { $0.plan.poisonPercent > 0 }) { sendFollowers() }
    }
}
