internal import Dispatch
internal import HTTPClient
internal import Synchronization

/// Sends requests as fast as they are answered, so many at a time, and measures.
struct RequestRun {
    let client: HTTPClient
    let underWay: Int

    struct Result: Sendable {
        var perSecond = 0.0
        /// Milliseconds, from a request's sending to its answer.
        var median = 0.0
        var ninetyNinth = 0.0
    }

    private struct State {
        var next = 0
        var milliseconds: [Double] = []
        var failure: String?

        mutating func note(_ answer: Swift.Result<HTTPClientResponse, TransportFailure>) {
            switch answer {
            case .success(let response) where response.status == 200:
                milliseconds.append(response.duration / .milliseconds(1))
            case .success(let response):
                failure =
                    "an answer was \(response.status): \(String(decoding: response.body.prefix(300), as: UTF8.self))"
            case .failure(let problem): failure = problem.message
            }
        }
    }

    /// - Parameters:
    ///   - requests: with paths for URLs.
    ///   - port: of the server on loopback.
    /// - Throws: when an answer is another one than 200.
    func send(
        _ requests: [HTTPClientRequest], to port: Int, finished: @escaping @Sendable () -> Void
    ) throws(CommandFailure) -> Result {
        let state = Mutex(State())
        let done = DispatchSemaphore(value: 0)
        let started = ContinuousClock.now
        @Sendable func sendNext() {
            let request = state.withLock { state -> HTTPClientRequest? in
                guard state.failure == nil, state.next < requests.count else { return nil }
                defer { state.next += 1 }
                var request = requests[state.next]
                request.url = "http://127.0.0.1:\(port)\(request.url)"
                return request
            }
            guard let request else {
                done.signal()
                return
            }
            client.send(request) { answer in
                state.withLock { $0.note(answer) }
                finished()
                sendNext()
            }
        }
        for _ in 0..<underWay { sendNext() }
        for _ in 0..<underWay { done.wait() }
        let seconds = started.duration(to: .now) / .seconds(1)
        return try state.withLock { state throws(CommandFailure) in
            if let failure = state.failure { throw CommandFailure(failure) }
            let sorted = state.milliseconds.sorted()
            return Result(
                perSecond: Double(sorted.count) / seconds, median: sorted[sorted.count / 2],
                ninetyNinth: sorted[min(sorted.count - 1, sorted.count * 99 / 100)])
        }
    }
}
