import EventLog
import Targets
import Testing

@testable import Delivery

/// Batches whose events of one key the target makes one record of, in the order of their keys.
@Suite("Events of one key in one request") struct JoiningTests {
    private func driver(
        _ keys: [String], events: Int = 10, everyMs: Int64 = 10, _ adjust: (inout TargetPolicy) -> Void = { _ in }
    ) -> TargetDriver {
        var driver = TargetDriver(events: 0) { policy in
            policy.ordersByKey = true
            policy.joinsKeys = true
            policy.concurrency = 4
            policy.batch = BatchPolicy(maximumEvents: events, maximumBytes: 1 << 20, everyMs: everyMs)
            adjust(&policy)
        }
        driver.events = keys.enumerated().map {
            event(Int64($0.offset), receivedAtMs: driver.now.wallMs, key: $0.element)
        }
        return driver
    }

    private func offsets(_ requests: [[Attempt]]) -> [[Int64]] { requests.map { $0.map(\.place.offset) } }

    /// Sends until nothing is left, and answers each event as told.
    /// - Returns: the offsets sent, in order.
    private func finish(_ driver: inout TargetDriver, _ answer: (Int64) -> DeliveryOutcome) -> [Int64] {
        var sent: [Int64] = []
        for _ in 0..<10_000 {
            let requests = driver.requests()
            for request in requests {
                sent += request.map(\.place.offset)
                driver.finish(request, .each(request.map { answer($0.place.offset) }))
            }
            guard requests.isEmpty else { continue }
            guard let wake = driver.state.wakeMs(driver.now) else { break }
            driver.advance(max(1, wake - driver.now.monotonicMs))
        }
        return sent
    }

    @Test("go together, in the order of the log; those of a key that is on its way wait for that")
    func together() {
        var driver = driver(["a", "b", "a", "a", "b", "c", "a", "b"], events: 4)
        driver.advance(20)
        let requests = driver.requests()
        #expect(offsets(requests) == [[0, 1, 2, 3], [5]])
        driver.finish(requests[0], .all(delivered))
        driver.advance(20)
        #expect(offsets(driver.requests()) == [[4, 6]], "what waited goes together with others, each key once")
    }

    @Test("are never in one request where the target makes no record of them")
    func apart() {
        var driver = driver(["a", "a", "b"]) { $0.joinsKeys = false }
        driver.advance(20)
        #expect(offsets(driver.requests()) == [[0, 2]])
    }

    @Test("fail together and are tried again one after the other, before what came later")
    func failure() {
        for outcome in [refused, serverError, badRequest] {
            var driver = driver(["a", "a", "b", "a", "a"], events: 3)
            driver.advance(20)
            let first = driver.requests()
            #expect(offsets(first) == [[0, 1, 2]])
            driver.finish(first[0], .all(outcome))
            let sent = finish(&driver) { _ in delivered }
            #expect(sent.filter { $0 != 2 } == [0, 1, 3, 4])
            #expect(driver.state.counters.delivered == 5 && driver.state.unfinishedBeforePosition == 0)
        }
    }

    @Test("whose record the receiver refuses become dead letters in their order, and what is behind follows")
    func refusedRecord() {
        var driver = driver(["a", "b", "a", "a"], events: 3)
        driver.advance(20)
        let first = driver.requests()
        driver.finish(first[0], .each([badRequest, delivered, badRequest]))
        let sent = finish(&driver) { $0 == 3 ? delivered : badRequest }
        #expect(driver.deadLetters.map(\.place.offset) == [0, 2])
        #expect(sent == [0, 0, 0, 0, 2, 2, 2, 2, 3])
    }

    @Test("whatever happens, no key's older event is delivered after a newer one, none is lost and none is doubled")
    func property() {
        for seed in 0..<24 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            let keys = (0..<120).map { _ in ["a", "b", "c", "d", "e"][Int(random.next() % 5)] }
            var driver = driver(keys, events: 1 + Int(seed % 12))
            var done: [Int64] = []
            var underWay: [[Attempt]] = []
            var turns = 0
            while done.count + driver.deadLetters.count < keys.count, turns < 20_000 {
                turns += 1
                underWay += driver.requests()
                if underWay.isEmpty {
                    driver.advance(
                        max(
                            1, (driver.state.wakeMs(driver.now) ?? driver.now.monotonicMs + 50) - driver.now.monotonicMs
                        ))
                    continue
                }
                let request = underWay.remove(at: Int(random.next() % UInt64(underWay.count)))
                // Every key of a request is one record, and has one outcome.
                var outcomes: [String: DeliveryOutcome] = [:]
                for key in Set(request.map { keys[Int($0.place.offset)] }).sorted() {
                    outcomes[key] = [delivered, delivered, delivered, badRequest, serverError][Int(random.next() % 5)]
                }
                let whole: DeliveryOutcome? =
                    random.next() % 4 == 0 ? [refused, badRequest][Int(random.next() % 2)] : nil
                for attempt in request {
                    let offset = attempt.place.offset
                    if whole == nil, case .delivered? = outcomes[keys[Int(offset)]] { done.append(offset) }
                }
                if let whole {
                    driver.finish(request, .all(whole))
                } else {
                    driver.finish(request, .each(request.map { outcomes[keys[Int($0.place.offset)]] ?? delivered }))
                }
                if random.next() % 16 == 0, underWay.isEmpty {
                    driver.commit()
                    driver.restart()
                }
            }
            #expect(Set(done).count == done.count, "seed \(seed)")
            let dead = Set(driver.deadLetters.map(\.place.offset))
            #expect(Set(done).union(dead) == Set(0..<Int64(keys.count)) && dead.isDisjoint(with: done), "seed \(seed)")
            for key in Set(keys) {
                let order = done.filter { keys[Int($0)] == key }
                #expect(order == order.sorted(), "seed \(seed), key \(key)")
            }
        }
    }
}
