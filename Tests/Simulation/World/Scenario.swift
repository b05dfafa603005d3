package import SimulatedDisk

/// What one seed draws before its run begins: who sends, who receives, and what goes wrong.
package struct Scenario: Sendable {
    /// How a receiver is by nature.
    package enum Temper: Sendable, CaseIterable {
        /// Answers at once, always.
        case steady
        /// Slow now and then, and sometimes wrong in every way there is.
        case moody
        /// Gone for long stretches.
        case absent
    }

    package struct Receiver: Sendable {
        package var name: String
        package var temper: Temper
        package var takesOnlySignIns: Bool
        package var concurrency: Int
        /// Of each hundred events, those it never takes, with an answer that blames them.
        package var refusedPercent: Int
    }

    package struct Sender: Sendable {
        package var name: String
        package var events: Int
        package var largestBatch: Int
        /// How long it takes to send all of them when nothing goes wrong, nanoseconds.
        package var duration: Int64
    }

    package var senders: [Sender]
    package var receivers: [Receiver]
    /// Nanoseconds until everything is well again.
    package var duration: Int64
    package var crashes: Int
    package var orderlyRestarts: Int
    package var diskTroubles: Int
    package var pauses: Int
    package var clockJumps: Int
    /// Of the log, milliseconds; nil without an end.
    package var retentionMs: Int64?
    package var maximumLogBytes: Int64
    package var recentIDs: Int
    package var checkpointFrames: Int
    package var restartFrames: Int
    package var statePages: Int
    package var maximumOpen: Int
    package var window: Int

    package init(_ random: inout Randomness) {
        let length = Int64.seconds([10, 60, 600, 3600].randomElement(using: &random)!)
        duration = length
        senders = (0..<random.integer(1...3)).map { number in
            Sender(
                name: ["london", "paris", "oslo"][number], events: random.integer(5...60),
                largestBatch: [1, 4, 12, 90].randomElement(using: &random)!,
                duration: length * Int64(random.integer(10...90)) / 100)
        }
        receivers = (0..<random.integer(1...4)).map { number in
            Receiver(
                name: ["crm", "siem", "doors", "mail"][number], temper: Temper.allCases.randomElement(using: &random)!,
                takesOnlySignIns: random.oneIn(3), concurrency: [1, 2, 8, 32].randomElement(using: &random)!,
                refusedPercent: [0, 0, 3, 15].randomElement(using: &random)!)
        }
        crashes = [0, 1, 2, 3, 5].randomElement(using: &random)!
        orderlyRestarts = random.oneIn(3) ? 1 : 0
        diskTroubles = [0, 0, 1, 3].randomElement(using: &random)!
        pauses = [0, 0, 1, 2].randomElement(using: &random)!
        clockJumps = random.oneIn(4) ? 1 : 0
        retentionMs = random.oneIn(3) ? Int64(random.integer(30...1200)) * 1000 : nil
        maximumLogBytes = random.oneIn(4) ? Int64(random.integer(220...400) << 10) : 1 << 30
        recentIDs = [8, 32, 100, 10_000].randomElement(using: &random)!
        checkpointFrames = [4, 20, 256].randomElement(using: &random)!
        restartFrames = [12, 60, 8192].randomElement(using: &random)!
        maximumOpen = random.integer(4...60)
        window = random.integer(4...200)
        statePages = [6, 40, 4000].randomElement(using: &random)!
    }
}
