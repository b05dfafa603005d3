internal import Dispatch
package import Events
package import HTTPClient
internal import Synchronization
internal import Vendors

/// Sends a number of deliveries at a rate, trying again as the vendor does.
package final class SenderRun: Sendable {
    /// How one delivery ended.
    package struct Result: Sendable {
        package var events: Range<Int>
        package var tries: Int
        /// The last answer's status; nil when there was none.
        package var status: Int?
        /// What went wrong last, or the answer's body, for people.
        package var detail: String
        package var wasTaken: Bool
    }

    private let sender: SimulatedSender
    private let client: HTTPClient
    private let url: String
    private let hurry: Double
    private let timeout: Duration

    /// - Parameters:
    ///   - url: where the sender was told to post.
    ///   - hurry: the waits between tries are the vendor's own, divided by this.
    package init(
        sender: SimulatedSender, client: HTTPClient, url: String, hurry: Double = 1, timeout: Duration = .seconds(30)
    ) {
        self.sender = sender
        self.client = client
        self.url = url
        self.hurry = hurry
        self.timeout = timeout
    }

    /// Sends events 0 to `count`, and waits until each is taken or given up.
    /// - Parameters:
    ///   - batch: events a request.
    ///   - perSecond: events begun a second; nil for as fast as they are taken.
    ///   - connections: requests under way at once.
    ///   - finished: called for each request that ended, one at a time.
    /// - Returns: how each request ended, in the order of their events.
    package func sendAll(
        count: Int, batch: Int = 1, perSecond: Double? = nil, connections: Int = 1,
        finished: @Sendable (Result) -> Void = { _ in }
    ) throws -> [Result] {
        struct State {
            var next = 0
            var results: [Result] = []
            var failure: (any Error)?
        }
        let state = Mutex(State())
        let begun = DispatchTime.now()
        DispatchQueue.concurrentPerform(iterations: connections) { _ in
            while true {
                let events = state.withLock { state -> Range<Int>? in
                    guard state.next < count, state.failure == nil else { return nil }
                    let range = state.next..<min(state.next + batch, count)
                    state.next = range.upperBound
                    return range
                }
                guard let events else { return }
                if let perSecond { Self.wait(until: begun + Double(events.lowerBound) / perSecond) }
                do {
                    let result = try send(events, at: .now())
                    state.withLock {
                        $0.results.append(result)
                        finished(result)
                    }
                } catch {
                    state.withLock { $0.failure = error }
                }
            }
        }
        let (results, failure) = state.withLock { ($0.results, $0.failure) }
        if let failure { throw failure }
        return results.sorted { $0.events.lowerBound < $1.events.lowerBound }
    }

    /// Sends one delivery until it is taken or the vendor would give up, and waits for that.
    package func send(_ events: Range<Int>, at moment: Timestamp) throws -> Result {
        let delivery = try sender.delivery(events, at: moment)
        let delays = sender.vendor.traits.retryDelaysSeconds
        var tries = 0
        while true {
            tries += 1
            let (status, detail) = attempt(delivery)
            let wasTaken = status.map(isSuccess) ?? false
            guard !wasTaken, tries <= delays.count else {
                return Result(events: events, tries: tries, status: status, detail: detail, wasTaken: wasTaken)
            }
            Self.wait(until: .now() + delays[tries - 1] / hurry)
        }
    }

    private func isSuccess(_ status: Int) -> Bool {
        sender.vendor.traits.takesAnySuccess ? (200..<300).contains(status) : status == 200
    }

    private func attempt(_ delivery: SimulatedSender.Delivery) -> (status: Int?, detail: String) {
        var request = HTTPClientRequest(method: "POST", url: url)
        request.headers = sender.headers(for: delivery, url: url, at: .now())
        request.body = delivery.body
        request.timeout = timeout
        let answer = client.sendAndWait(request)
        switch answer {
        case .success(let response): return (response.status, String(decoding: response.body, as: UTF8.self))
        case .failure(let failure): return (nil, failure.message)
        }
    }

    private static func wait(until moment: DispatchTime) {
        _ = DispatchSemaphore(value: 0).wait(timeout: moment)
    }
}

extension HTTPClient {
    /// Sends one request and waits for its end; for commands, never on a thread that serves others.
    package func sendAndWait(
        _ request: HTTPClientRequest
    ) -> Swift.Result<HTTPClientResponse, TransportFailure> {
        let done = DispatchSemaphore(value: 0)
        let answer = Mutex<Swift.Result<HTTPClientResponse, TransportFailure>?>(nil)
        send(request) { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        return answer.withLock { $0! }
    }
}
