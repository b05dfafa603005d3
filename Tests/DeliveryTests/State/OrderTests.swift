import EventLog
import Testing

@testable import Delivery

@Suite struct OrderTests {
    /// Events of keys a, b, c in turn.
    private func driver(
        _ count: Int, keys: [String] = ["a", "b", "c"], _ adjust: (inout TargetPolicy) -> Void = { _ in }
    )
        -> TargetDriver
    {
        var driver = TargetDriver(events: 0) { policy in
            policy.ordersByKey = true
            policy.concurrency = 8
            adjust(&policy)
        }
        driver.events = (0..<Int64(count)).map {
            event($0, receivedAtMs: 1_699_999_999_000 + $0, key: keys[Int($0) % keys.count])
        }
        return driver
    }

    @Test("of one key at most one event is on its way")
    func oneAtATime() {
        var driver = driver(9)
        let first = driver.attempts()
        #expect(first.map(\.place.offset) == [0, 1, 2])
        driver.finish(first[1], delivered)
        #expect(driver.attempts().map(\.place.offset) == [4])
        #expect(driver.state.openCount == 0, "those that wait stay in the log")
        #expect(driver.state.holeCount == 8)
    }

    @Test(
        "later events of a key wait behind one that failed, others go on, and after its dead letter they follow in order"
    )
    func failure() {
        var driver = driver(30)
        var sent = driver.run { $0 == 3 ? badRequest : delivered }
        #expect(!sent.contains { $0 > 3 && $0 % 3 == 0 })
        #expect(Set(sent).count == 22, "all of the other keys, and two of this one")
        #expect(driver.state.openCount == 9)
        #expect(driver.history.last { $0.place.offset == 6 }?.reason == "waits_for_key")
        sent = driver.run(forMs: 600_000) { $0 == 3 ? badRequest : delivered }
        #expect(driver.deadLetters.map(\.place.offset) == [3])
        #expect(sent.drop { $0 == 3 } == [6, 9, 12, 15, 18, 21, 24, 27])
        #expect(driver.state.unfinishedBeforePosition == 0)
        #expect(driver.state.counters.delivered == 29)
    }

    @Test("a restart keeps the order of what was on its way, parked and open")
    func restart() {
        for finished in 0..<6 {
            var driver = driver(40, keys: ["a", "b"])
            var sent: [Int64] = []
            for _ in 0..<finished {
                guard let attempt = driver.attempts().last else { break }
                driver.finish(attempt, attempt.place.offset == 1 ? badRequest : delivered)
                if attempt.place.offset != 1 { sent.append(attempt.place.offset) }
            }
            driver.commit()
            driver.restart()
            sent += driver.run(forMs: 900_000) { _ in delivered }
            for key in 0..<2 as Range<Int64> {
                #expect(sent.filter { $0 % 2 == key } == (0..<20).map { $0 * 2 + key })
            }
        }
    }

    @Test("a busy key fills neither memory nor the open set, and does not keep others waiting")
    func busyKey() {
        var driver = driver(5000, keys: ["a"])
        driver.events[2000] = event(2000, receivedAtMs: driver.now.wallMs, key: "b")
        var begun: [Int64] = []
        for _ in 0..<20 { begun += driver.attempts().map(\.place.offset) }
        #expect(begun == [0, 2000])
        #expect(driver.state.lanes.parkedCount == 256)
        #expect(driver.state.openCount == 4999 - 257)
        #expect(driver.state.wakeMs(driver.now) == nil, "nothing is due before something ends")
    }

    @Test("a busy key takes at most half of the open set, so that it is never taken for a set of failures")
    func busyKeyIsBounded() {
        var driver = driver(5000, keys: ["a"]) { $0.maximumOpen = 1000 }
        for _ in 0..<20 { _ = driver.attempts() }
        #expect(driver.state.openCount == 500)
        #expect(!driver.state.isOpenSetFull)
        #expect(driver.state.wakeMs(driver.now) == nil)
    }

    @Test("while the target is down order holds as well")
    func outage() {
        var driver = driver(60)
        var sent: [Int64] = []
        var isUp = false
        for round in 0..<60 {
            isUp = round >= 30
            var delivered: [Int64] = []
            _ = driver.run(forMs: 20_000) { offset in
                if isUp { delivered.append(offset) }
                return isUp ? DeliveryTests.delivered : refused
            }
            sent += delivered
            driver.advance(20_000)
        }
        for key in 0..<3 as Range<Int64> {
            #expect(sent.filter { $0 % 3 == key } == (0..<20).map { $0 * 3 + key })
        }
        #expect(driver.deadLetters.isEmpty)
    }

    @Test("order that is switched off lets everything go, and switched on holds from then on")
    func switched() {
        var driver = driver(30, keys: ["a"])
        #expect(driver.attempts().count == 1)
        var policy = driver.state.policy
        policy.ordersByKey = false
        driver.state.setPolicy(policy, isEnabled: true)
        let attempts = driver.attempts()
        #expect(attempts.count == 7)
        policy.ordersByKey = true
        driver.state.setPolicy(policy, isEnabled: true)
        #expect(driver.attempts().isEmpty)
        for attempt in attempts { driver.finish(attempt, delivered) }
        #expect(driver.attempts().isEmpty, "the first of the key is still on its way")
    }

    @Test("an event that grew too old leaves its turn to the next")
    func expiry() {
        var driver = driver(6, keys: ["a"])
        driver.events[1] = event(1, receivedAtMs: 1000, key: "a")
        let first = driver.attempts()
        driver.state.expire(Expiry(tooOldBeforeMs: 2000, end: driver.state.position), driver.now)
        #expect(driver.deadLetters.map(\.place.offset) == [1])
        driver.finish(first[0], badRequest)
        let sent = driver.run(forMs: 600_000) { _ in delivered }
        #expect(sent == [0, 2, 3, 4, 5])
    }
}
