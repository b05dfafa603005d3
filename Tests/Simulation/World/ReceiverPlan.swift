import SimulatedDisk
package import Targets

/// How a receiver is, and how the target that reaches it is configured at first.
package struct ReceiverPlan: Sendable {
    /// How a receiver is by nature.
    package enum Temper: Sendable, CaseIterable {
        /// Answers at once, always.
        case steady
        /// Slow now and then, and sometimes wrong in every way there is.
        case moody
        /// Gone for long stretches.
        case absent
    }

    package var name: String
    package var temper = Temper.steady
    /// Of each hundred events, those it never takes, with an answer that blames them.
    package var refusedPercent = 0
    /// Of each hundred events of one key, those it always fails over, as if it were to blame itself.
    package var poisonPercent = 0
    /// Of several events in one request it answers for each; otherwise it takes all of them or none.
    package var judgesEach = false
    /// After which an event is not tried again.
    package var attempts = 5
    package var settings = TargetPlan()

    init(name: String) {
        self.name = name
    }

    init(name: String, _ random: inout Randomness) {
        self.name = name
        temper = Temper.allCases.randomElement(using: &random)!
        refusedPercent = [0, 0, 3, 15].randomElement(using: &random)!
        poisonPercent = temper == .moody && random.oneIn(5) ? random.integer(5...30) : 0
        judgesEach = random.oneIn(2)
        // One that fails often enough by its own fault would come to blame an event for it.
        attempts = temper == .steady ? [1, 3, 5].randomElement(using: &random)! : 5
        settings = TargetPlan(&random)
    }
}

/// What the configuration says of a target, which changes while it runs.
package struct TargetPlan: Sendable, Hashable {
    package var takesOnlySignIns = false
    package var concurrency = 8
    package var ordersByKey = false
    package var batch: BatchLimits?
    package var rate: RateLimit?
    package var giveUpAfter: Duration?
    package var isEnabled = true
    /// It stands in the configuration at all.
    package var isThere = true

    init() {}

    init(_ random: inout Randomness) {
        takesOnlySignIns = random.oneIn(3)
        concurrency = [1, 2, 8, 32].randomElement(using: &random)!
        ordersByKey = random.oneIn(3)
        batch = random.oneIn(3) ? Self.batch(&random) : nil
        rate = random.oneIn(6) ? RateLimit(["1/s", "20/s", "3/10s", "120/m"].randomElement(using: &random)!) : nil
        giveUpAfter = random.oneIn(8) ? .seconds(random.integer(20...900)) : nil
    }

    /// Another configuration of the same target.
    func changed(_ random: inout Randomness) -> TargetPlan {
        var other = TargetPlan(&random)
        other.takesOnlySignIns = random.oneIn(4) != takesOnlySignIns
        other.isThere = !random.oneIn(6)
        other.isEnabled = !random.oneIn(6)
        return other
    }

    private static func batch(_ random: inout Randomness) -> BatchLimits {
        let every = [50, 1000, 5000, 60_000, 1_200_000].randomElement(using: &random)!
        return batch(
            events: [2, 5, 20, 100].randomElement(using: &random)!,
            bytes: [2000, 20_000, 1 << 20].randomElement(using: &random)!, every: .milliseconds(every))
    }

    static func batch(events: Int, bytes: Int, every: Duration) -> BatchLimits {
        var batch = BatchLimits()
        batch.maximumEvents = events
        batch.maximumBytes = bytes
        batch.every = every
        return batch
    }
}
