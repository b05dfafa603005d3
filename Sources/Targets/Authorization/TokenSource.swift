import Cryptography
import HTTPClient
import Synchronization

/// A target's access tokens: one request to the endpoint at a time, however many wait for it.
final class TokenSource: Sendable {
    typealias Waiter = @Sendable (Result<AccessToken, DeliveryFailure>) -> Void

    private let settings: OAuthSettings
    private let cache = Mutex(TokenCache<Waiter>())
    private let exchange = Mutex<TokenExchange?>(nil)
    private let origin = ContinuousClock.now

    init(_ settings: OAuthSettings) {
        self.settings = settings
    }

    /// - Parameter completion: called once, on any thread, possibly before this returns; must not block.
    func token(_ context: TargetContext, completion: @escaping Waiter) {
        let decision = cache.withLock { $0.take(completion, at: elapsed) }
        switch decision {
        case .use(let token, let renew):
            if renew { fetch(context) }
            completion(.success(token))
        case .wait(let isFirst): if isFirst { fetch(context) }
        case .fail(let failure): completion(.failure(failure))
        }
    }

    /// The service did not accept this token.
    func refused(_ token: AccessToken) {
        cache.withLock { $0.refused(token) }
    }

    /// The last there was; nil: the endpoint was never asked.
    var lastExchange: TokenExchange? { exchange.withLock { $0 } }

    private func fetch(_ context: TargetContext) {
        let request: HTTPClientRequest
        do throws(CryptographyError) {
            request = try settings.request(now: context.now())
        } catch {
            return take(
                .failure(
                    DeliveryFailure(
                        code: "oauth_key", message: "the private key could not sign: \(error.message)", blame: .target)
                ))
        }
        context.client.send(request) { [self] result in
            let told = TokenExchange(request, result, settings, endedAt: .now)
            exchange.withLock { $0 = told }
            take(
                TokenAnswer(result, from: settings.endpoint, explanation: told.explanation, now: context.now()))
        }
    }

    private func take(_ answer: TokenAnswer) {
        let random = Double.random(in: 0...1)
        switch answer {
        case .token(let value, let lifetime):
            let (token, waiting) = cache.withLock { cache in
                cache.received(value, lifetime: lifetime, at: elapsed, random: random)
            }
            for waiter in waiting { waiter(.success(token)) }
        case .failure(let failure):
            let waiting = cache.withLock { $0.failed(failure, at: elapsed, random: random) }
            for waiter in waiting { waiter(.failure(failure)) }
        }
    }

    private var elapsed: Duration { ContinuousClock.now - origin }
}
