import EventLog
import Targets
import Testing

@testable import Delivery

@Suite struct BatchTests {
    private func driver(
        _ count: Int, events: Int = 10, bytes: Int = 1 << 20, everyMs: Int64 = 60_000,
        _ adjust: (inout TargetPolicy) -> Void = { _ in }
    ) -> TargetDriver {
        var driver = TargetDriver(events: count) { policy in
            policy.batch = BatchPolicy(maximumEvents: events, maximumBytes: bytes, everyMs: everyMs)
            policy.concurrency = 4
            adjust(&policy)
        }
        driver.events = (0..<Int64(count)).map { event($0, receivedAtMs: driver.now.wallMs) }
        return driver
    }

    private func offsets(_ requests: [[Attempt]]) -> [[Int64]] { requests.map { $0.map(\.place.offset) } }

    @Test("full batches go at once, the rest when its first event has waited long enough")
    func time() {
        var driver = driver(25)
        let requests = driver.requests()
        #expect(offsets(requests) == [Array(0..<10), Array(10..<20)])
        #expect(driver.state.requestsInFlight == 2)
        #expect(driver.state.inFlightCount == 20)
        #expect(driver.state.wakeMs(driver.now) == driver.now.monotonicMs + 60_000)
        driver.advance(59_999)
        #expect(driver.requests().isEmpty)
        driver.advance(1)
        #expect(offsets(driver.requests()) == [Array(20..<25)])
    }

    @Test("while events are gathered the position waits for them, so that a crash costs no place")
    func gathering() {
        var driver = driver(5)
        #expect(driver.requests().isEmpty)
        driver.commit()
        #expect(driver.cursor.position.offsets == [0])
        #expect(driver.cursor.holes.isEmpty)
        #expect(driver.state.holeCount == 0)
    }

    @Test("bytes end a batch, and an event larger than a batch goes by itself")
    func bytes() {
        var driver = driver(6, bytes: 17, everyMs: 10)
        // Each text is of 7 bytes, so that two of them fit.
        driver.events[2] = LoggedEvent(
            place: RecordPlace(partition: 0, offset: 2), id: driver.events[2].id, type: "visitor.signin",
            source: "london", receivedAtMs: driver.now.wallMs, payload: Array(repeating: 32, count: 100), view: anyView)
        driver.advance(1)
        var seen = offsets(driver.requests())
        driver.advance(1000)
        seen += offsets(driver.requests())
        #expect(seen == [[0, 1], [2], [3, 4], [5]])
    }

    @Test("a batch that is refused is halved until the bad event is found, and no other pays for it")
    func halving() {
        var driver = driver(16, events: 16)
        var requests: [[Int64]] = []
        for _ in 0..<200 {
            for request in driver.requests() {
                requests.append(request.map(\.place.offset))
                driver.finish(request, .all(request.contains { $0.place.offset == 5 } ? badRequest : delivered))
            }
            driver.advance(20_000)
        }
        #expect(driver.deadLetters.map(\.place.offset) == [5])
        #expect(driver.deadLetters[0].reason == "http_400")
        #expect(driver.state.counters.delivered == 15)
        #expect(driver.state.unfinishedBeforePosition == 0)
        #expect(requests.count { $0 == [5] } == 5, "by itself it has as many tries as any event")
        #expect(requests.prefix(2) == [Array(0..<16), Array(0..<8)])
    }

    @Test("a batch that fails by the target's fault waits as one, is probed by one event, and goes again")
    func outage() {
        var driver = driver(40)
        let requests = driver.requests()
        #expect(requests.count == 4)
        for request in requests { driver.finish(request, .all(serverError)) }
        #expect(driver.state.openCount == 0)
        #expect(driver.deadLetters.isEmpty)
        driver.commit()
        #expect(driver.cursor.holes.count == 40)
        driver.advance(400_000)
        let probe = driver.requests()
        #expect(probe.map(\.count) == [1])
        driver.finish(probe[0], .all(delivered))
        let rest = driver.requests()
        #expect(rest.map(\.count) == [10, 10, 10, 9])
        for request in rest { driver.finish(request, .all(delivered)) }
        #expect(driver.state.counters.delivered == 40)
        #expect(driver.state.unfinishedBeforePosition == 0)
    }

    @Test("where the receiver answers for each event, each has its own fate")
    func each() {
        var driver = driver(4, events: 4)
        let request = driver.requests()[0]
        driver.finish(
            request, .each([delivered, badRequest, delivered, failure("http_503", .target, status: 503)]))
        #expect(driver.state.counters.delivered == 2)
        #expect(driver.state.openCount == 2)
        var tried: [[Int64]] = []
        for _ in 0..<100 {
            for request in driver.requests() {
                tried.append(request.map(\.place.offset))
                driver.finish(request, .each(request.map { $0.place.offset == 1 ? badRequest : delivered }))
            }
            driver.advance(20_000)
        }
        #expect(driver.deadLetters.map(\.place.offset) == [1])
        #expect(driver.state.counters.delivered == 3)
        #expect(tried.contains([3]))
    }

    @Test("what a restart finds on its way goes again, together")
    func restart() {
        var driver = driver(20)
        _ = driver.requests()
        driver.state.isDirty = true
        driver.commit()
        driver.restart()
        #expect(offsets(driver.requests()) == [Array(0..<10), Array(10..<20)])
    }

    @Test("events that have waited before a restart do not wait from the beginning")
    func waited() {
        var driver = driver(3, everyMs: 1_200_000)
        driver.events = (0..<3).map { event($0, receivedAtMs: driver.now.wallMs - 1_190_000) }
        #expect(driver.requests().isEmpty)
        #expect(driver.state.wakeMs(driver.now) == driver.now.monotonicMs + 10_000)
    }

    @Test("a batch of 20 000 is gathered whole, whatever lies between its events")
    func large() {
        var driver = driver(20_000, events: 20_000, bytes: 16 << 20)
        #expect(offsets(driver.requests()) == [Array(0..<20_000)])
        #expect(driver.state.requestsInFlight == 1)
    }

    @Test("with a rate it is requests that are counted")
    func rate() {
        var driver = driver(100) { $0.rate = TokenBucket.Rate(amount: 1, perMs: 1000) }
        #expect(driver.requests().count == 1)
        #expect(driver.state.wakeMs(driver.now) == driver.now.monotonicMs + 1000)
        driver.advance(1000)
        #expect(driver.requests().count == 1)
    }
}
