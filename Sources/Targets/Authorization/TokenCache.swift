/// A token as a request carries it.
struct AccessToken: Sendable, Hashable {
    var value: String
    /// Counts the tokens there were, so that a late refusal of one does not throw away the next.
    var number: Int
}

/// When a token is asked for, kept, given out and renewed. It decides and does nothing: whoever calls it asks the
/// endpoint and tells what came, with the time since some fixed moment.
struct TokenCache<Waiter> {
    /// What whoever wants a token is told.
    enum Decision {
        /// - Parameter renew: and a new one is to be asked for meanwhile.
        case use(AccessToken, renew: Bool)
        /// Kept until there is an answer.
        /// - Parameter fetch: one is to be asked for now; else that is under way.
        case wait(fetch: Bool)
        /// The waiter was not kept.
        case fail(DeliveryFailure)
    }

    /// What may wait at once.
    static var maximumWaiting: Int { 4096 }
    /// How long a token is taken to be good where its endpoint does not say; a refusal renews it before.
    static var lifetimeUnlessSaid: Duration { .seconds(1800) }
    /// The longest pause after failures, unless the endpoint asks for a longer one.
    private static var longestPause: Duration { .seconds(60) }

    private struct Held {
        var token: AccessToken
        var renewAt: Duration
        var endsAt: Duration
    }

    private var held: Held?
    private var count = 0
    private var isFetching = false
    private var waiting: [Waiter] = []
    private var failures = 0
    private var pause: (until: Duration, reason: DeliveryFailure)?

    init() {}

    mutating func take(_ waiter: Waiter, at now: Duration) -> Decision {
        if let held, now < held.endsAt {
            guard now >= held.renewAt, !isFetching, pause.map({ now >= $0.until }) ?? true else {
                return .use(held.token, renew: false)
            }
            isFetching = true
            return .use(held.token, renew: true)
        }
        if isFetching {
            guard waiting.count < Self.maximumWaiting else { return .fail(Self.busy) }
            waiting.append(waiter)
            return .wait(fetch: false)
        }
        if let pause, now < pause.until {
            var failure = pause.reason
            failure.retryAfter = pause.until - now
            return .fail(failure)
        }
        isFetching = true
        waiting.append(waiter)
        return .wait(fetch: true)
    }

    /// The service refused this token: it is not given out again.
    mutating func refused(_ token: AccessToken) {
        if held?.token.number == token.number { held = nil }
    }

    /// The endpoint gave a token.
    /// - Parameters:
    ///   - lifetime: as the endpoint says; nil: it does not say.
    ///   - random: from 0 to 1, so that many instances do not renew in step.
    /// - Returns: those that waited.
    mutating func received(
        _ value: String, lifetime: Duration?, at now: Duration, random: Double
    ) -> (token: AccessToken, waiting: [Waiter]) {
        let lifetime = max(lifetime ?? Self.lifetimeUnlessSaid, .seconds(1))
        count += 1
        let token = AccessToken(value: value, number: count)
        held = Held(
            token: token, renewAt: now + lifetime * (0.75 + 0.15 * random),
            endsAt: now + lifetime - min(lifetime * 0.05, .seconds(30)))
        failures = 0
        pause = nil
        return (token, letGo())
    }

    /// The endpoint gave none, and is left alone for a while.
    /// - Parameter random: from 0 to 1.
    /// - Returns: those that waited.
    mutating func failed(_ failure: DeliveryFailure, at now: Duration, random: Double) -> [Waiter] {
        failures = min(failures + 1, 16)
        let wait = min(Duration.milliseconds(500 << (failures - 1)), Self.longestPause) * (0.5 + 0.5 * random)
        pause = (now + max(wait, failure.retryAfter ?? .zero), failure)
        return letGo()
    }

    private mutating func letGo() -> [Waiter] {
        isFetching = false
        defer { waiting = [] }
        return waiting
    }

    private static var busy: DeliveryFailure {
        DeliveryFailure(code: "oauth_busy", message: "too many requests wait for an access token", blame: .target)
    }
}
