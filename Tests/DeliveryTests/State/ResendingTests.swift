import EventLog
import Targets
import Testing

@testable import Delivery

@Suite("What a connection took that acknowledges nothing") struct ResendingTests {
    private func driver(
        _ count: Int, messages: Int = 20, bytes: Int = 1 << 20, _ adjust: (inout TargetPolicy) -> Void = { _ in }
    ) -> TargetDriver {
        TargetDriver(events: count) { policy in
            policy.resend = ResendLimits(messages: messages, bytes: bytes)
            adjust(&policy)
        }
    }

    @Test("is finished only when so many newer ones followed it, and takes no place of others meanwhile")
    func pushedOut() {
        var driver = driver(100) { $0.maximumOpen = 5 }
        var receiver = StreamReceiver()
        driver.stream(to: &receiver)
        #expect(driver.state.counters.delivered == 80)
        #expect(driver.state.openCount == 20)
        #expect(!driver.state.isOpenSetFull)
        #expect(driver.state.inFlightCount == 0)
        #expect(driver.state.unfinishedBeforePosition == 20)
        #expect(driver.history.count == 80, "one record each, once it is finished")
    }

    @Test("is finished by size as well")
    func bytes() {
        var driver = driver(30, bytes: 100)
        driver.run { _ in sent(StreamConnection(sink: 1, number: 1), bytes: 30) }
        #expect(driver.state.counters.delivered == 27)
    }

    @Test("is finished when the connection has stood long enough after it")
    func healthy() {
        var driver = driver(5)
        let connection = StreamConnection(sink: 1, number: 1)
        driver.run { _ in sent(connection) }
        driver.advance(29_999)
        driver.state.healthy(connection, driver.now)
        #expect(driver.state.counters.delivered == 0)
        driver.advance(1)
        driver.state.healthy(StreamConnection(sink: 1, number: 2), driver.now)
        #expect(driver.state.counters.delivered == 0, "of another connection")
        driver.state.healthy(connection, driver.now)
        #expect(driver.state.counters.delivered == 5)
        #expect(driver.state.unfinishedBeforePosition == 0)
    }

    @Test("is finished only as far as the system of the other end has it, however long it stood")
    func unacknowledged() {
        var driver = driver(10)
        let connection = StreamConnection(sink: 1, number: 1)
        let all = driver.events
        driver.events.removeLast(5)
        driver.run { _ in sent(connection) }
        driver.advance(20_000)
        driver.events = all
        driver.run { _ in sent(connection) }
        driver.advance(100_000)
        driver.state.healthy(connection, age: .seconds(121), driver.now)
        #expect(driver.state.counters.delivered == 0)
        driver.state.healthy(connection, age: .seconds(101), driver.now)
        #expect(driver.state.counters.delivered == 5)
        driver.state.healthy(connection, driver.now)
        #expect(driver.state.counters.delivered == 10)
    }

    @Test("ends no target's waiting before a connection has stood for a moment after it")
    func breaker() {
        var driver = driver(20)
        func connection(_ number: Int) -> StreamConnection { StreamConnection(sink: 1, number: number) }
        for number in 1...2 {
            driver.run { _ in sent(connection(number)) }
            #expect(driver.state.lost(connection(number), code: "tls_refused", driver.now) == 20)
        }
        #expect(!driver.state.health.isRunning)
        for number in 3...30 {
            driver.advance(600_000)
            var probes = driver.attempts()
            // It may ask for new events first.
            if probes.isEmpty { probes = driver.attempts() }
            #expect(probes.count == 1)
            for probe in probes { driver.finish(probe, sent(connection(number))) }
            #expect(!driver.state.health.isRunning)
            #expect(driver.attempts().isEmpty)
            if number < 30 { #expect(driver.state.lost(connection(number), code: "tls_refused", driver.now) == 1) }
        }
        #expect(driver.state.counters.delivered == 0 && driver.deadLetters.isEmpty)
        driver.advance(999)
        driver.state.healthy(connection(30), driver.now)
        #expect(!driver.state.health.isRunning)
        driver.advance(1)
        driver.state.healthy(connection(30), age: .seconds(2), driver.now)
        #expect(!driver.state.health.isRunning, "who has not acknowledged it may never have been there")
        driver.state.healthy(connection(30), driver.now)
        #expect(driver.state.health.isRunning)
        #expect(driver.state.health.lastFailure == nil)
        #expect(!driver.attempts().isEmpty)
    }

    @Test("is finished when the receiver has read the connection to its end")
    func drained() {
        var driver = driver(5)
        let connection = StreamConnection(sink: 1, number: 1)
        driver.run { _ in sent(connection) }
        driver.state.drained(connection)
        #expect(driver.state.counters.delivered == 5)
    }

    @Test("is sent again after a break, before anything new, in the order of the log, and counted once")
    func lost() {
        var driver = driver(20)
        let first = StreamConnection(sink: 1, number: 1)
        let second = StreamConnection(sink: 1, number: 2)
        driver.events.removeLast(10)
        driver.run { _ in sent(first) }
        #expect(driver.state.lost(first, code: "connection_closed", driver.now) == 10)
        #expect(driver.state.lost(first, code: "connection_closed", driver.now) == 0)
        driver.events += (10..<20).map { event($0, receivedAtMs: 1_699_999_999_000 + $0) }
        #expect(driver.run { _ in sent(second) } == Array(0..<20))
        #expect(driver.history.filter { $0.reason == "connection_lost" }.count == 10)
        driver.state.drained(second)
        #expect(driver.state.counters.delivered == 20)
        #expect(driver.state.unfinishedBeforePosition == 0)
        #expect(
            driver.history.filter { $0.state == .delivered }.map(\.attempts).sorted() == Array(repeating: 1, count: 10)
                + Array(repeating: 2, count: 10))
    }

    @Test("is lost at once when its connection is known to have ended")
    func late() {
        var driver = driver(2)
        let connection = StreamConnection(sink: 1, number: 1)
        _ = driver.state.lost(connection, code: "connection_closed", driver.now)
        let attempts = driver.attempts()
        driver.finish(attempts[0], sent(connection))
        #expect(driver.attempts().map(\.place.offset) == [0])
    }

    @Test("is sent again by the next run", arguments: [true, false])
    func restart(isOrdered: Bool) {
        var driver = driver(30) { $0.ordersByKey = isOrdered }
        let first = StreamConnection(sink: 1, number: 1)
        driver.run { _ in sent(first) }
        driver.commit()
        driver.restart()
        #expect(driver.state.counters.delivered == 10)
        #expect(driver.run { _ in sent(first) } == Array(10..<30))
        driver.state.drained(first)
        #expect(driver.state.counters.delivered == 30)
    }

    @Test("waits while the receiver is away, and fills no open set")
    func away() {
        var driver = driver(60, messages: 50) {
            $0.maximumOpen = 10
            $0.concurrency = 8
        }
        let first = StreamConnection(sink: 1, number: 1)
        driver.events.removeLast(10)
        driver.run { _ in sent(first) }
        _ = driver.state.lost(first, code: "connection_closed", driver.now)
        driver.run(forMs: 3_600_000) { _ in refused }
        #expect(driver.deadLetters.isEmpty)
        #expect(driver.state.openCount == 50)
        var receiver = StreamReceiver()
        receiver.close()
        driver.stream(to: &receiver, forMs: 3_600_000)
        #expect(Set(receiver.read) == Set(0..<50))
    }

    @Test("keeps the order of keys over breaks", arguments: 0..<20 as Range<UInt64>)
    func order(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var driver = driver(0, messages: 30) {
            $0.ordersByKey = true
            $0.concurrency = 8
        }
        driver.events = (0..<300).map {
            event($0, receivedAtMs: 1_699_999_999_000 + $0, key: "k\(Int.random(in: 0..<5, using: &random))")
        }
        let keys = Dictionary(grouping: driver.events, by: \.orderKey)
        let all = driver.events
        driver.events = []
        var receiver = StreamReceiver(capacity: 20)
        for event in all {
            driver.events.append(event)
            driver.stream(to: &receiver)
            switch Int.random(in: 0..<30, using: &random) {
            case 0: driver.lose(&receiver)
            case 1:
                driver.commit()
                driver.restart()
                receiver.close()
            case 2: _ = receiver.readAll()
            default: break
            }
            driver.advance(Int64.random(in: 0..<3000, using: &random))
        }
        driver.stream(to: &receiver, forMs: 600_000)
        #expect(Set(receiver.read) == Set(0..<300), "none is lost")
        #expect(driver.state.counters.delivered == 300)
        #expect(driver.state.unfinishedBeforePosition == 0)
        for (_, events) in keys {
            let offsets = events.map(\.place.offset)
            var first: [Int64] = []
            for offset in receiver.read where offsets.contains(offset) && !first.contains(offset) {
                first.append(offset)
            }
            #expect(first == offsets)
        }
    }

    @Test("that breaks every connection is found, and keeps no other from its receiver")
    func poison() {
        var driver = driver(400, messages: 100) { $0.concurrency = 8 }
        var receiver = StreamReceiver(capacity: 30)
        receiver.poison = [57, 203]
        // Newer events go on coming: that they go well is what tells a bad one.
        let all = driver.events
        driver.events.removeLast(100)
        for event in all.suffix(100) {
            driver.stream(to: &receiver, forMs: 300_000)
            driver.events.append(event)
        }
        driver.stream(to: &receiver, forMs: 3_600_000)
        #expect(Set(driver.deadLetters.map(\.place.offset)) == [57, 203])
        #expect(driver.deadLetters.allSatisfy { $0.reason == "connection_lost" })
        #expect(Set(receiver.read) == Set(0..<400).subtracting([57, 203]))
        #expect(driver.state.counters.delivered == 398)
        #expect(driver.state.unfinishedBeforePosition == 0)
    }

    @Test("is not sent with care, and finished sooner, to a receiver that stands still")
    func standstill() {
        var driver = driver(5)
        for number in 1...10 {
            let connection = StreamConnection(sink: 1, number: number)
            let end = driver.now.monotonicMs + 600_000
            while driver.state.sentCount < 5, driver.now.monotonicMs < end {
                for attempt in driver.attempts() { driver.finish(attempt, sent(connection)) }
                driver.advance(1000)
                driver.state.healthy(connection, driver.now)
            }
            #expect(driver.state.counters.delivered == 0, "connection \(number)")
            #expect(driver.state.lost(connection, code: "timeout", driver.now) == 5)
        }
    }

    @Test("is neither finished nor dead while every connection is closed at once, however long that goes on")
    func closedAtOnce() {
        var driver = driver(50, messages: 100) { $0.concurrency = 8 }
        var receiver = StreamReceiver(capacity: 10)
        receiver.poison = Set(0..<50)
        driver.stream(to: &receiver, forMs: 6 * 3_600_000)
        #expect(driver.deadLetters.isEmpty)
        #expect(driver.state.counters.delivered == 0)
        receiver.poison = []
        driver.stream(to: &receiver, forMs: 3_600_000)
        #expect(driver.state.counters.delivered == 50)
        #expect(Set(receiver.read) == Set(0..<50))
    }

    @Test("is finished at once where the target has no window")
    func off() {
        var driver = driver(5) { $0.resend = nil }
        driver.run { _ in sent(StreamConnection(sink: 1, number: 1)) }
        #expect(driver.state.counters.delivered == 5)
    }
}
