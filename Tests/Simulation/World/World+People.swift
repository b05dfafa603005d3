import Delivery
import Events
import SimulatedDisk

/// What people do.
extension World {
    // MARK: Targets

    /// Whether nothing may be sent to a receiver by what people have decided, and surely written down.
    func isSwitchedOff(_ receiver: SimulatedReceiver) -> Bool {
        paused.contains(receiver.name) || !receiver.settings.isEnabled || !receiver.settings.isThere
    }

    func pauseSomeTarget() {
        guard !isHealed, let engine = instance?.engine, let receiver = receivers.randomElement(using: &random) else {
            return
        }
        disturbedAt = now
        guard (try? engine.pause(receiver.name)) != nil else { return }
        trace("\(receiver.name) is paused")
        paused.insert(receiver.name)
        scheduler.after(Int64.random(in: 0...scenario.duration / 2, using: &random)) { [self] in
            if paused.contains(receiver.name) { resume(receiver.name) }
        }
    }

    private func resume(_ name: String) {
        guard let engine = instance?.engine else { return }
        disturbedAt = now
        // Where that cannot be written down it may hold or not.
        paused.remove(name)
        guard (try? engine.resume(name)) != nil else { return }
        trace("\(name) is resumed")
        engineHasWork()
    }

    /// People see to it that no target stays switched off once everything is well.
    func careForTargets() {
        if !isConfiguredForGood { configure(scenario.receivers.map(\.settings)) }
        for target in instance?.engine.targets() ?? []
        where target.standing.name == "paused" || target.standing.name == "disabled" {
            resume(target.name)
        }
        scheduler.after(isConfiguredForGood ? .seconds(60) : .seconds(1)) { [self] in careForTargets() }
    }

    // MARK: Configuration

    /// As it was in the beginning.
    var isConfiguredForGood: Bool { configuration.targets == scenario.receivers.map(\.settings) }

    func changeConfiguration() {
        guard !isHealed else { return }
        var targets = configuration.targets
        for index in targets.indices where random.oneIn(2) {
            targets[index] = random.oneIn(2) ? scenario.receivers[index].settings : targets[index].changed(&random)
        }
        // Without any target there is nothing to be configured.
        targets[0].isThere = true
        configure(targets)
    }

    private func configure(_ targets: [TargetPlan]) {
        figures.reloads += 1
        disturbedAt = now
        do {
            let other = try SimulatedConfiguration(scenario, targets, serial: figures.reloads)
            do {
                try instance?.engine.reload(plan: other.plan, blueprints: other.blueprints)
            } catch {
                // A program that dies of it finds the new files when it begins again.
                guard disk.isOff else { return trace("the configuration stays as it was: \(error)") }
            }
            trace("another configuration: \(targets)")
            configuration = other
            for (receiver, target) in zip(receivers, targets) { receiver.configure(target) }
            engineHasWork()
        } catch {
            violate("a configuration cannot be made: \(error)")
        }
    }

    // MARK: Dead letters

    /// - Parameter patience: how often to look again when there are none.
    func decideSomething(patience: Int) {
        guard let instance, !disk.isOff, let receiver = receivers.randomElement(using: &random) else { return }
        var filter = DeadLetterFilter()
        filter.target = receiver.name
        guard let letters = try? instance.store.deadLetters(filter, newest: 1000) else { return }
        guard !letters.isEmpty, receiver.settings.isThere else {
            guard patience > 0, !isHealed else { return }
            return scheduler.after(scenario.duration / 10) { [self] in decideSomething(patience: patience - 1) }
        }
        let isOne = random.oneIn(2)
        let chosen = letters.filter { _ in random.oneIn(isOne ? letters.count : 2) }
        decide(random.oneIn(3) ? .discard : .requeue, chosen, receiver, filter, instance)
    }

    private func decide(
        _ action: DeadLetterAction, _ letters: [DeadLetterRow], _ receiver: SimulatedReceiver,
        _ filter: DeadLetterFilter, _ instance: Instance
    ) {
        let rows = Set(letters.map(\.id))
        let names = letters.map(\.event.short).joined(separator: " ")
        do {
            let count = try instance.engine.decide(action, filter, by: "sam") { rows.contains($0.id) }
            trace("\(action) of \(names) at \(receiver.name)")
            if count != letters.count { violate("of \(letters.count) dead letters \(count) were decided about") }
            if action == .requeue { figures.requeued += count } else { figures.discarded += count }
            for letter in letters {
                if action == .requeue {
                    receiver.requeued(letter.event, letter.replay)
                } else {
                    receiver.discarded(letter.event, letter.replay)
                }
            }
        } catch {
            trace("\(action) of \(names) at \(receiver.name) fails: \(error)")
            for letter in letters { receiver.leftUndecided(letter.event, letter.replay) }
        }
        engineHasWork()
    }

    // MARK: Replays

    func replaySomething() {
        guard let engine = instance?.engine, !disk.isOff, let receiver = receivers.randomElement(using: &random),
            receiver.settings.isThere
        else { return }
        let passed = wallMs - now / 1_000_000
        var request = ReplayRequest(target: receiver.name, sinceMs: 0)
        if random.oneIn(2) { request.sinceMs = passed + Int64.random(in: 0...now / 1_000_000, using: &random) }
        if random.oneIn(3) { request.untilMs = max(request.sinceMs, passed) + Int64(random.integer(1...600_000)) }
        do {
            let status = try engine.replay(request, by: "sam")
            trace("replay \(status.number) to \(receiver.name) of \(status.balance.events) events")
            replays.append(
                SimulatedReplay(number: status.number, receiver: receiver, request: request, askedAt: now))
            figures.replays += 1
            if random.oneIn(5) { scheduler.after(.milliseconds(random.integer(0...5000))) { [self] in cancelReplay() } }
        } catch {
            trace("a replay to \(receiver.name) fails: \(error)")
            // Whether it was written down nobody knows.
            mayHaveOtherReplays = true
        }
        engineHasWork()
    }

    /// Whether somebody asked for a replay of this number, or may have done.
    func mayReplay(_ number: Int64, to receiver: SimulatedReceiver) -> Bool {
        mayHaveOtherReplays || replays.contains { $0.number == number && $0.receiver === receiver }
    }

    private func cancelReplay() {
        guard let index = replays.indices.last, let engine = instance?.engine else { return }
        replays[index].isCancelled = true
        let status = try? engine.cancelReplay(replays[index].number, by: "sam")
        trace("replay \(replays[index].number) is called off: \(status.map { "\($0.state)" } ?? "not written down")")
        engineHasWork()
    }

    // MARK: Followers

    /// A day of them: a batch may be waited for a third of an hour, and only what gets through meanwhile counts.
    private static let mostFollowers = 1500

    /// An event that fails for ever is told from a target that does by others that get through. So some follow.
    func sendFollowers() {
        scheduler.after(.seconds(random.integer(20...100))) { [self] in sendFollowers() }
        guard let engine = instance?.engine else { return }
        let poisoned = Set(receivers.lazy.filter { $0.plan.poisonPercent > 0 }.map(\.name))
        let isAnyFailing = engine.targets().contains {
            poisoned.contains($0.name) && ($0.open > 0 || $0.standing != .running)
        }
        let isAnyReplayed = engine.reconcile().replays.contains {
            poisoned.contains($0.request.target) && $0.balance.pending > 0
        }
        guard isAnyFailing || isAnyReplayed else { return }
        followers += 1
        guard followers <= Self.mostFollowers else {
            return violate("events that fail for ever keep others waiting: \(unfinished)")
        }
        senders[0].sendAnother()
    }
}
