import Delivery
import EventLog
import SQLite
import SimulatedDisk

/// Crashes, and what follows them.
extension World {
    /// Chooses where the next crash comes: at an operation of the disk, at an action of the program, or now.
    func planCrash() {
        guard !isHealed else { return }
        switch random.integer(0...4) {
        case 0...2: crashAtChange = disk.changes + random.integer(1...[5, 40, 200].randomElement(using: &random)!)
        case 3: crashAtAction = actions + random.integer(1...40)
        default:
            trace("crash")
            disk.crash()
        }
    }

    /// The program is gone, and comes back after a while.
    func fall() {
        let isPowerLost = swept?.losesPower ?? random.oneIn(2)
        trace(isPowerLost ? "the power fails" : "the process is killed")
        figures.crashes += 1
        if isPowerLost { figures.powerCuts += 1 }
        crashAtChange = nil
        // What a program that was killed has not synced, nobody syncs while it is down.
        let end = downSince ?? now
        downSince = end
        // Nor is anything synced while the disk is full.
        excuse(min(end, fullSince ?? end) - (isPowerLost ? Self.powerCutWindow : Self.killWindow)...now)
        instance = nil
        disk.restart(losingPower: isPowerLost)
        for receiver in receivers { receiver.crashed() }
        becomeDown()
    }

    /// Stops the program in good order and starts it again.
    func restartInOrder() {
        guard let running = instance, !isHealed else { return }
        trace("a restart in good order")
        running.close()
        guard !disk.isOff else { return }
        // What was answered and not yet looked at is as good as under way.
        excuse(min(now, fullSince ?? now) - .milliseconds(10)...now)
        instance = nil
        for receiver in receivers { receiver.crashed() }
        disk.restart(losingPower: false)
        becomeDown()
    }

    private func becomeDown() {
        seen = []
        logWake = nil
        engineWake = nil
        disturbedAt = now
        instances += 1
        if violation == nil {
            scheduler.after(.milliseconds(random.integer(1...4000))) { [self] in open() }
        }
    }

    // MARK: Opening

    func open() {
        guard instance == nil, violation == nil else { return }
        figures.openings += 1
        let faults = figures.faults
        do {
            let opened = try Instance(self, number: instances)
            guard !disk.isOff else { return }
            instance = opened
            downSince = nil
            trace("open: \(opened.log.head) from \(opened.log.beginning)")
            checkOpened(opened)
            wakeLog(after: 0)
            wakeEngine(after: 0)
        } catch {
            if disk.isOff { return }
            trace("it cannot be opened: \(error)")
            let isExpected = figures.faults > faults || disk.capacity != nil
            if !isExpected || isDamage(error) { return violate("it cannot be opened: \(error)") }
            disk.restart(losingPower: false)
            becomeDown()
        }
    }

    /// No fault of the disk that shows itself is damage.
    private func isDamage(_ error: any Error) -> Bool {
        switch error {
        case let error as LogOpenError: error.code == .damaged
        case let error as SQLiteError: error.code == .damaged
        default: false
        }
    }
}
