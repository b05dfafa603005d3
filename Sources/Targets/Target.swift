package import Events
package import HTTPClient
package import Logging
import Synchronization

/// Where events go: a sink that renders, connects, writes and closes, and nothing more. Retry, order, concurrency and
/// counting belong to what calls it.
package protocol Target: AnyObject, Sendable {
    /// Renders and sends one event. Never blocks on the network or the disk. `completion` is called exactly once, on any
    /// thread, possibly before this returns, and must not block.
    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void)

    /// Renders and sends several events in one request, where the receiver takes them so: otherwise each by itself. As
    /// `send` of one; outcomes for each are in the order of the events.
    func send(batch: [OutgoingEvent], completion: @escaping @Sendable (BatchOutcome) -> Void)

    /// Lets go of connections and files. What is in flight completes, as a failure where it could not be finished;
    /// nothing is sent afterwards.
    func close()

    /// Has news of connections told to `told` from now on, on any thread; it must not block. A target whose receivers
    /// answer has none. To be called before anything is sent.
    func watchConnections(_ told: @escaping @Sendable (ConnectionNews) -> Void)

    /// What a lost connection took last is known to be unfinished: others may be opened.
    func forgetLost(_ connection: Int)
}

extension Target {
    package func watchConnections(_ told: @escaping @Sendable (ConnectionNews) -> Void) {}

    package func forgetLost(_ connection: Int) {}

    package func send(batch: [OutgoingEvent], completion: @escaping @Sendable (BatchOutcome) -> Void) {
        guard !batch.isEmpty else { return completion(.each([])) }
        let gathered = GatheredOutcomes(batch.count, completion)
        for (index, outgoing) in batch.enumerated() {
            send(outgoing) { gathered.set(index, $0) }
        }
    }
}

/// The outcomes of events that were sent each by itself, until there are all of them.
private final class GatheredOutcomes: Sendable {
    private let outcomes: Mutex<(list: [DeliveryOutcome?], missing: Int)>
    private let completion: @Sendable (BatchOutcome) -> Void

    init(_ count: Int, _ completion: @escaping @Sendable (BatchOutcome) -> Void) {
        outcomes = Mutex((Array(repeating: nil, count: count), count))
        self.completion = completion
    }

    func set(_ index: Int, _ outcome: DeliveryOutcome) {
        let all: [DeliveryOutcome]? = outcomes.withLock { outcomes in
            outcomes.list[index] = outcome
            outcomes.missing -= 1
            return outcomes.missing == 0 ? outcomes.list.compactMap(\.self) : nil
        }
        if let all { completion(.each(all)) }
    }
}

/// One event on its way to one target.
package struct OutgoingEvent: Sendable {
    package var event: EventView
    /// The names of the routes that took it, in the order of the plan.
    package var routes: [String]
    /// Counts from 1.
    package var attempt: Int
    /// The number of the replay that sends it once more; nil for an event sent the first time.
    package var replay: Int64?
    /// Watches it on its way: for an event that is a person's who tries the target out, and nobody's else.
    package var test: TargetTest?

    package init(
        event: EventView, routes: [String], attempt: Int = 1, replay: Int64? = nil, test: TargetTest? = nil
    ) {
        self.event = event
        self.routes = routes
        self.attempt = attempt
        self.replay = replay
        self.test = test
    }
}

/// What targets are made with.
package struct TargetContext: Sendable {
    package var client: HTTPClient
    /// The machine's name, as syslog's HOSTNAME where a target sets none.
    package var hostname: String
    package var logger: Logger
    /// The wall clock, which only signatures and absolute `Retry-After` dates use.
    package var now: @Sendable () -> Timestamp

    package init(
        client: HTTPClient, hostname: String, logger: Logger,
        now: @escaping @Sendable () -> Timestamp = { Timestamp.now() }
    ) {
        self.client = client
        self.hostname = hostname
        self.logger = logger
        self.now = now
    }
}
