import EventLog
import Testing

@testable import Delivery

@Suite struct RateTests {
    /// When requests begin that are asked for as often as can be, on the monotonic clock.
    private func begins(_ rate: TokenBucket.Rate, forMs limit: Int64, everyMs step: Int64 = 1) -> [Int64] {
        var now = Moment(monotonicMs: 1000, wallMs: 0)
        var bucket = TokenBucket(rate, now)
        var result: [Int64] = []
        while now.monotonicMs < 1000 + limit {
            while bucket.waitMs(now) == 0 {
                bucket.take(now)
                result.append(now.monotonicMs)
            }
            now = now.advanced(byMs: step)
        }
        return result
    }

    @Test(
        "no stretch of the period holds more requests than the rate allows, and little less go in the long run",
        arguments: [(1, 1000), (10, 1000), (100, 1000), (190, 10_000), (5000, 1000), (5, 60_000), (7, 3000)],
        [1 as Int64, 13, 250])
    func bound(rate: (Int64, Int64), step: Int64) {
        let (amount, period) = rate
        let periods: Int64 = 20
        let begins = begins(TokenBucket.Rate(amount: amount, perMs: period), forMs: periods * period, everyMs: step)
        for (index, begin) in begins.enumerated() where index + Int(amount) < begins.count {
            #expect(begins[index + Int(amount)] - begin >= period)
        }
        // Asked more rarely than tokens come, it cannot keep up.
        if step == 1 { #expect(Int64(begins.count) * 100 >= amount * periods * 95) }
    }

    @Test("the wait is exactly that until the next request may begin")
    func wait() {
        var now = Moment(monotonicMs: 0, wallMs: 0)
        var bucket = TokenBucket(TokenBucket.Rate(amount: 3, perMs: 1000), now)
        bucket.take(now)
        #expect(bucket.waitMs(now) == 334)
        now = now.advanced(byMs: 333)
        #expect(bucket.waitMs(now) == 1)
        now = now.advanced(byMs: 1)
        #expect(bucket.waitMs(now) == 0)
    }

    @Test("a target with a rate sends no more, retries included, and says when to ask again")
    func target() {
        var driver = TargetDriver(events: 100) { $0.rate = TokenBucket.Rate(amount: 10, perMs: 1000) }
        let began = driver.now.monotonicMs
        var sent: [Int64] = []
        while driver.now.monotonicMs < began + 9000 {
            for attempt in driver.attempts() {
                sent.append(driver.now.monotonicMs)
                driver.finish(attempt, attempt.place.offset % 10 == 3 && attempt.number == 1 ? badRequest : delivered)
            }
            guard let wake = driver.state.wakeMs(driver.now) else { break }
            #expect(wake > driver.now.monotonicMs)
            driver.now = driver.now.advanced(byMs: max(1, wake - driver.now.monotonicMs))
        }
        #expect(sent.count >= 88 && sent.count <= 91)
        for (index, moment) in sent.enumerated() where index + 10 < sent.count {
            #expect(sent[index + 10] - moment >= 1000)
        }
    }

    @Test("another rate takes effect at once, the same one does not fill the bucket again")
    func reload() {
        var driver = TargetDriver(events: 100) { $0.rate = TokenBucket.Rate(amount: 1, perMs: 60_000) }
        #expect(driver.attempts().count == 1)
        driver.state.setPolicy(driver.state.policy, isEnabled: true)
        #expect(driver.attempts().isEmpty)
        var policy = driver.state.policy
        policy.rate = nil
        driver.state.setPolicy(policy, isEnabled: true)
        #expect(driver.attempts().count == 3)
    }
}
