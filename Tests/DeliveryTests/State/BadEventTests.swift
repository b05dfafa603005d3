import EventLog
import Targets
import Testing

@testable import Delivery

/// What bad events must not do to others.
@Suite struct BadEventTests {
    private func driver(
        keys: [String], count: Int, _ adjust: (inout TargetPolicy) -> Void
    ) -> TargetDriver {
        var driver = TargetDriver(events: 0, adjust)
        driver.events = (0..<Int64(count)).map {
            event($0, receivedAtMs: driver.now.wallMs, key: keys[Int($0) % keys.count])
        }
        return driver
    }

    @Test("with order, one that fails for ever is found out although those behind it fill the open set")
    func followersFillTheOpenSet() {
        var driver = driver(keys: ["a", "b", "a", "c"], count: 400) {
            $0.ordersByKey = true
            $0.maximumOpen = 20
        }
        let sent = driver.run(forMs: 4 * 3_600_000) { $0 == 0 ? serverError : delivered }
        #expect(driver.deadLetters.map(\.place.offset) == [0])
        #expect(driver.state.counters.delivered == 399)
        #expect(sent.filter { $0 % 2 == 0 && $0 > 0 } == (1..<200).map { $0 * 2 })
    }

    @Test("while some keep a target waiting, what is new is read and tried as well")
    func probesAreOfNewEvents() {
        let bad: Int64 = 3
        var driver = TargetDriver(events: 40) { $0.concurrency = 8 }
        func answer(_ offset: Int64) -> DeliveryOutcome { offset < bad ? serverError : delivered }
        func sendAll() {
            var begun: [Attempt] = []
            while let attempt = driver.state.nextRequest(driver.now).first { begun.append(attempt) }
            for attempt in begun { driver.finish(attempt, answer(attempt.place.offset)) }
        }
        for _ in 0..<200 {
            // As the engine does: it sends what there is, reads, and sends again.
            sendAll()
            driver.read()
            sendAll()
            guard let wake = driver.state.wakeMs(driver.now) else { break }
            driver.advance(max(0, wake - driver.now.monotonicMs))
        }
        #expect(driver.state.counters.delivered == 40 - bad)
    }

    @Test("however many bad events stand at the front, a closed target comes to what is behind them")
    func poisonAtTheFront() {
        let bad: Int64 = 90
        var driver = TargetDriver(events: 120) { $0.maximumOpen = 100 }
        driver.run(forMs: 24 * 3_600_000) { $0 < bad ? serverError : delivered }
        #expect(driver.state.counters.delivered == 120 - bad)
        #expect(driver.state.position.offsets == [120])
    }

    @Test("with order, bad events and all that follow them do not keep a target closed")
    func poisonAndItsFollowers() {
        let (bad, others) = (Int64(803), Int64(20))
        var driver = TargetDriver(events: 0) {
            $0.ordersByKey = true
            $0.maximumOpen = 1000
        }
        driver.events = (0..<bad + others).map { offset in
            event(offset, receivedAtMs: driver.now.wallMs, key: offset < bad ? "bad \(offset % 3)" : "good")
        }
        let sent = driver.run(forMs: 24 * 3_600_000) { $0 < bad ? serverError : delivered }
        #expect(sent.filter { $0 >= bad } == Array(bad..<bad + others))
        #expect(driver.state.counters.delivered == others)
    }

    @Test("a target that is out of reach for a weekend finds everything, and its open set keeps to its bound")
    func weekend() {
        var driver = TargetDriver(events: 600) { $0.maximumOpen = 20 }
        driver.run(forMs: 3 * 24 * 3_600_000) { _ in refused }
        #expect(driver.deadLetters.isEmpty)
        #expect(driver.state.openCount <= driver.state.policy.openLimit)
        #expect(driver.state.openCount + driver.state.holeCount <= driver.state.policy.openLimit)
        driver.run(forMs: 3_600_000) { _ in delivered }
        #expect(driver.state.counters.delivered == 600)
        #expect(driver.deadLetters.isEmpty)
    }

    @Test(
        "an event that fails for ever in a replay is found out once its target takes others of its own",
        arguments: [true, false])
    func poisonInReplay(takesOthers: Bool) {
        var target = TargetDriver(events: 0)
        var replay = TargetDriver(events: 1)
        for number in 0..<400 as Range<Int64> {
            replay.read()
            for attempt in replay.state.nextRequest(replay.now, after: &target.state) {
                replay.finish(attempt, serverError)
            }
            target.events.append(event(number, receivedAtMs: target.now.wallMs))
            target.run { _ in takesOthers ? delivered : serverError }
            replay.advance(600_000)
            target.advance(600_000)
        }
        #expect(replay.deadLetters.count == (takesOthers ? 1 : 0))
    }

    @Test("nothing asks for another turn at once when nothing can begin")
    func noSpinning() {
        var driver = driver(keys: ["a"], count: 40) {
            $0.batch = BatchPolicy(maximumEvents: 2, maximumBytes: 1000, everyMs: 0)
            $0.maximumOpen = 8
            $0.concurrency = 32
        }
        for request in driver.requests() { driver.finish(request, .each(request.map { _ in badRequest })) }
        driver.advance(600_000)
        let retries = driver.requests()
        #expect(!retries.isEmpty)
        #expect(driver.state.wakeMs(driver.now).map { $0 > driver.now.monotonicMs } ?? true)
    }

    @Test("a batch keeps to its bytes although events before its own are put aside for their key")
    func batchOfSeveralKeys() {
        var driver = driver(keys: ["a", "a", "b", "c"], count: 4) {
            $0.ordersByKey = true
            // Each text is of 7 bytes, so that two of them fit.
            $0.batch = BatchPolicy(maximumEvents: 10, maximumBytes: 17, everyMs: 10)
        }
        let large = driver.events[2]
        driver.events[2] = LoggedEvent(
            place: large.place, id: large.id, type: large.type, source: large.source,
            receivedAtMs: large.receivedAtMs, payload: Array(repeating: 32, count: 100), view: large.view)
        driver.read()
        driver.advance(1000)
        #expect(driver.requests().map { $0.map(\.place.offset) } == [[0], [2], [3]])
    }

    @Test("order that begins with a restart counts what has failed and what was on its way alike")
    func orderFromARestartOn() {
        var driver = driver(keys: ["a"], count: 12) { _ in }
        let first = driver.attempts()
        #expect(first.map(\.place.offset) == [0, 1, 2, 3])
        driver.finish(first[0], badRequest)
        driver.finish(first[2], badRequest)
        driver.commit()
        var policy = driver.state.policy
        policy.ordersByKey = true
        driver.state.setPolicy(policy, isEnabled: true)
        driver.restart()
        #expect(driver.run(forMs: 900_000) { _ in delivered } == Array(0..<12))
    }
}
