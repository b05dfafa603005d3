import Addresses
import Testing

@testable import Console

@Suite("Wrong tokens")
struct GuessLimitTests {
    private let here = IPAddress("192.0.2.1")!
    private let there = IPAddress("192.0.2.2")!

    private func digest(_ number: Int) -> [UInt8] {
        (0..<32).map { UInt8(truncatingIfNeeded: number >> (8 * ($0 % 4))) }
    }

    @Test("block their address once there were too many, and no other")
    func block() throws {
        let limit = GuessLimit()
        for number in 0..<GuessLimit.guesses {
            #expect(limit.wait(here, nowMs: 0) == nil)
            limit.failed(here, digest: digest(number), nowMs: 0)
        }
        let seconds = try #require(limit.wait(here, nowMs: 0))
        #expect(seconds == Int(GuessLimit.secondsPerGuess))
        #expect(limit.wait(there, nowMs: 0) == nil)
        #expect(limit.wait(here, nowMs: GuessLimit.secondsPerGuess * 1000) == nil)
        limit.failed(here, digest: digest(99), nowMs: GuessLimit.secondsPerGuess * 1000)
        #expect(limit.wait(here, nowMs: GuessLimit.secondsPerGuess * 1000) != nil)
    }

    @Test("count once each, so that a forgotten script locks nobody out")
    func same() {
        let limit = GuessLimit()
        for _ in 0..<1000 { limit.failed(here, digest: digest(7), nowMs: 0) }
        #expect(limit.wait(here, nowMs: 0) == nil)
    }

    @Test("of many addresses are remembered for the last ones only")
    func bounded() {
        let limit = GuessLimit()
        for number in 0..<GuessLimit.guesses { limit.failed(here, digest: digest(number), nowMs: 0) }
        for number in 1...GuessLimit.addresses {
            limit.failed(IPAddress(ipv4: UInt32(number)), digest: digest(1), nowMs: Int64(number))
        }
        #expect(limit.wait(here, nowMs: 0) == nil)
    }
}
