import EventLog
import Testing

@testable import Delivery

@Suite struct BackOffTests {
    @Test("a wait lies between the floor and a ceiling that doubles up to the cap", arguments: 1...60)
    func bounds(round: Int) {
        let backOff = BackOff()
        var random = SplitMix64(seed: UInt64(round))
        let ceiling = min(300_000, 1000.0 * Double(sign: .plus, exponent: min(round - 1, 30), significand: 1))
        let waits = (0..<500).map { _ in backOff.delayMs(round: round, using: &random) }
        #expect(waits.allSatisfy { $0 >= 250 && Double($0) <= ceiling })
        #expect(Double(waits.max() ?? 0) > ceiling * 0.8)
        #expect(Set(waits).count > 100)
    }

    @Test("a duration is never rounded down to no time at all")
    func durations() {
        #expect(Duration.microseconds(1).milliseconds == 1)
        #expect(Duration.milliseconds(1500).milliseconds == 1500)
        #expect(Duration.seconds(Int64.max / 2).milliseconds > 1_000_000_000_000)
    }

    @Test(
        "a moment of the past on the wall clock has its place on the monotonic one, whatever the wall clock did since")
    func past() {
        let now = Moment(monotonicMs: 10_000, wallMs: 1_000_000)
        #expect(now.past(wallMs: 999_000).monotonicMs == 9000)
        #expect(now.past(wallMs: 2_000_000).monotonicMs == 10_000)
    }
}
