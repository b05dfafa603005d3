package import SimulatedDisk

/// What one run is made of: who sends, who receives, and what goes wrong. Most are drawn from a seed.
package struct Scenario: Sendable {
    package struct Sender: Sendable {
        package var name: String
        package var events: Int
        package var largestBatch: Int
        /// How long it takes to send all of them when nothing goes wrong, nanoseconds.
        package var duration: Int64
    }

    package var senders: [Sender] = []
    package var receivers: [ReceiverPlan] = []
    /// Nanoseconds until everything is well again.
    package var duration: Int64
    package var crashes = 0
    package var orderlyRestarts = 0
    package var diskTroubles = 0
    package var pauses = 0
    package var clockJumps = 0
    /// Changes of the configuration.
    package var reloads = 0
    /// Dead letters requeued or discarded.
    package var decisions = 0
    package var replays = 0
    /// Of the log, milliseconds; nil without an end.
    package var retentionMs: Int64?
    package var maximumLogBytes: Int64 = 1 << 30
    package var recentIDs = 10_000
    package var checkpointFrames = 20
    package var restartFrames = 60
    package var statePages = 40
    package var maximumOpen = 60
    package var window = 200

    package init(duration: Int64) {
        self.duration = duration
    }

    package init(_ random: inout Randomness) {
        self.init(duration: .seconds([10, 60, 600, 3600].randomElement(using: &random)!))
        senders = (0..<random.integer(1...3)).map { number in
            Sender(
                name: ["london", "paris", "oslo"][number], events: random.integer(5...44),
                largestBatch: [1, 4, 12, 90].randomElement(using: &random)!,
                duration: duration * Int64(random.integer(10...90)) / 100)
        }
        receivers = (0..<random.integer(1...4)).map { number in
            ReceiverPlan(name: ["crm", "siem", "doors", "mail"][number], &random)
        }
        drawTroubles(&random)
        retentionMs = random.oneIn(3) ? Int64(random.integer(30...1200)) * 1000 : nil
        maximumLogBytes = random.oneIn(4) ? Int64(random.integer(220...400) << 10) : 1 << 30
        recentIDs = [8, 32, 100, 10_000].randomElement(using: &random)!
        checkpointFrames = [4, 20, 256].randomElement(using: &random)!
        restartFrames = [12, 60, 8192].randomElement(using: &random)!
        statePages = [6, 40, 4000].randomElement(using: &random)!
        maximumOpen = random.integer(4...60)
        window = random.integer(4...200)
    }

    private mutating func drawTroubles(_ random: inout Randomness) {
        crashes = [0, 1, 2, 3, 5].randomElement(using: &random)!
        orderlyRestarts = random.oneIn(3) ? 1 : 0
        diskTroubles = [0, 0, 1, 3].randomElement(using: &random)!
        pauses = [0, 0, 1, 2].randomElement(using: &random)!
        clockJumps = random.oneIn(4) ? 1 : 0
        reloads = [0, 0, 1, 3].randomElement(using: &random)!
        decisions = [0, 0, 2, 6].randomElement(using: &random)!
        replays = [0, 0, 1, 3].randomElement(using: &random)!
    }

    /// Small enough to be run once for every place a crash can come at, with every kind of target there is.
    package static let swept: Scenario = {
        var scenario = Scenario(duration: .seconds(4))
        scenario.senders = [Sender(name: "london", events: 6, largestBatch: 3, duration: .seconds(2))]
        var ordered = ReceiverPlan(name: "crm")
        ordered.refusedPercent = 20
        ordered.settings.ordersByKey = true
        ordered.settings.concurrency = 2
        var batched = ReceiverPlan(name: "siem")
        batched.refusedPercent = 20
        batched.judgesEach = true
        batched.settings.batch = TargetPlan.batch(events: 3, bytes: 4000, every: .milliseconds(500))
        scenario.receivers = [ordered, batched]
        scenario.decisions = 1
        scenario.replays = 1
        scenario.checkpointFrames = 4
        scenario.restartFrames = 12
        scenario.statePages = 6
        return scenario
    }()
}
