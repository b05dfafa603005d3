import Testing

@testable import Targets

/// Without a clock and without a network: the time and every answer are told.
@Suite("When an access token is asked for, kept and renewed")
struct TokenCacheTests {
    private typealias Cache = TokenCache<Int>

    private static let failure = DeliveryFailure(
        code: "oauth_invalid_client", message: "the token endpoint answered 401", blame: .target)

    private func short(_ decision: Cache.Decision) -> String {
        switch decision {
        case .use(let token, let renew): "use \(token.value)\(renew ? " and renew" : "")"
        case .wait(let fetch): fetch ? "fetch" : "wait"
        case .fail(let failure): "fail \(failure.code)"
        }
    }

    @Test("one request at a time, however many wait for it")
    func singleFlight() {
        var cache = Cache()
        #expect(short(cache.take(0, at: .zero)) == "fetch")
        for waiter in 1..<100 { #expect(short(cache.take(waiter, at: .milliseconds(waiter))) == "wait") }
        let (token, waiting) = cache.received("t1", lifetime: .seconds(3600), at: .seconds(1), random: 0.5)
        #expect(waiting == Array(0..<100) && token.value == "t1")
        #expect(short(cache.take(100, at: .seconds(2))) == "use t1")
    }

    @Test("it is renewed before it ends, once, and given out meanwhile", arguments: [0.0, 0.5, 1.0])
    func early(random: Double) {
        var cache = Cache()
        _ = cache.take(0, at: .zero)
        _ = cache.received("t1", lifetime: .seconds(3600), at: .zero, random: random)
        let renewal = 3600 * (0.75 + 0.15 * random)
        #expect(short(cache.take(1, at: .seconds(renewal - 1))) == "use t1")
        #expect(short(cache.take(2, at: .seconds(renewal + 1))) == "use t1 and renew")
        #expect(short(cache.take(3, at: .seconds(renewal + 2))) == "use t1")
        let (_, waiting) = cache.received("t2", lifetime: .seconds(3600), at: .seconds(renewal + 3), random: random)
        #expect(waiting == [])
        #expect(short(cache.take(4, at: .seconds(renewal + 4))) == "use t2")
    }

    @Test("it is not given out in its last moments")
    func end() {
        var cache = Cache()
        _ = cache.take(0, at: .zero)
        _ = cache.received("t1", lifetime: .seconds(3600), at: .zero, random: 1)
        #expect(short(cache.take(1, at: .seconds(3569))) == "use t1 and renew")
        #expect(short(cache.take(2, at: .seconds(3570))) == "wait")
        let (_, waiting) = cache.received("t2", lifetime: nil, at: .seconds(3571), random: 0)
        #expect(waiting == [2])
    }

    @Test("one that nobody says the end of is kept for half an hour")
    func unsaid() {
        var cache = Cache()
        _ = cache.take(0, at: .zero)
        _ = cache.received("t1", lifetime: nil, at: .zero, random: 1)
        #expect(short(cache.take(1, at: .seconds(1600))) == "use t1")
        #expect(short(cache.take(2, at: .seconds(1800))) == "fetch")
    }

    @Test("one that the service refused is given out no more; a late refusal throws no newer one away")
    func refused() {
        var cache = Cache()
        _ = cache.take(0, at: .zero)
        let first = cache.received("t1", lifetime: nil, at: .zero, random: 0).token
        cache.refused(first)
        #expect(short(cache.take(1, at: .seconds(1))) == "fetch")
        cache.refused(first)
        #expect(short(cache.take(2, at: .seconds(1))) == "wait")
        let second = cache.received("t1", lifetime: nil, at: .seconds(2), random: 0)
        #expect(second.waiting == [1, 2] && second.token != first)
        cache.refused(first)
        #expect(short(cache.take(3, at: .seconds(3))) == "use t1")
    }

    @Test("a failure is everybody's who waited, and the endpoint is left alone for longer and longer")
    func failures() {
        var cache = Cache()
        var now = Duration.zero
        var pauses: [Duration] = []
        for round in 0..<12 {
            #expect(short(cache.take(round, at: now)) == "fetch")
            #expect(short(cache.take(100 + round, at: now)) == "wait")
            #expect(cache.failed(Self.failure, at: now, random: 1) == [round, 100 + round])
            guard case .fail(let failure) = cache.take(200, at: now) else { return #expect(Bool(false)) }
            #expect(failure.code == "oauth_invalid_client")
            pauses.append(failure.retryAfter ?? .zero)
            now += pauses[round]
        }
        #expect(pauses.prefix(4) == [.milliseconds(500), .seconds(1), .seconds(2), .seconds(4)])
        #expect(pauses.last == .seconds(60))
        _ = cache.take(0, at: now)
        _ = cache.received("t1", lifetime: .seconds(10), at: now, random: 1)
        #expect(short(cache.take(1, at: now + .seconds(60))) == "fetch", "it begins anew after a success")
    }

    @Test("the endpoint's own wish for patience is kept")
    func retryAfter() {
        var cache = Cache()
        _ = cache.take(0, at: .zero)
        var failure = Self.failure
        failure.retryAfter = .seconds(300)
        _ = cache.failed(failure, at: .zero, random: 0)
        #expect(short(cache.take(1, at: .seconds(299))) == "fail oauth_invalid_client")
        #expect(short(cache.take(2, at: .seconds(300))) == "fetch")
    }

    @Test("while a renewal fails the token there is goes on, and the endpoint is not asked with each event")
    func failedRenewal() {
        var cache = Cache()
        _ = cache.take(0, at: .zero)
        _ = cache.received("t1", lifetime: .seconds(1000), at: .zero, random: 0)
        #expect(short(cache.take(1, at: .seconds(800))) == "use t1 and renew")
        #expect(cache.failed(Self.failure, at: .seconds(801), random: 1) == [])
        #expect(short(cache.take(2, at: .seconds(801))) == "use t1")
        #expect(short(cache.take(3, at: .seconds(802))) == "use t1 and renew")
    }

    @Test("what waits is bounded")
    func bound() {
        var cache = Cache()
        for waiter in 0..<Cache.maximumWaiting { _ = cache.take(waiter, at: .zero) }
        #expect(short(cache.take(-1, at: .zero)) == "fail oauth_busy")
        #expect(cache.failed(Self.failure, at: .zero, random: 0).count == Cache.maximumWaiting)
    }
}
