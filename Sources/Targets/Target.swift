package import Events
package import HTTPClient
package import Logging

/// Where events go: a sink that renders, connects, writes and closes, and nothing more. Retry, order, concurrency and
/// counting belong to what calls it.
package protocol Target: AnyObject, Sendable {
    /// Renders and sends one event. Never blocks on the network or the disk. `completion` is called exactly once, on any
    /// thread, possibly before this returns, and must not block.
    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void)

    /// Lets go of connections and files. What is in flight completes, as a failure where it could not be finished;
    /// nothing is sent afterwards.
    func close()
}

/// One event on its way to one target.
package struct OutgoingEvent: Sendable {
    package var event: EventView
    /// The names of the routes that took it, in the order of the plan.
    package var routes: [String]
    /// Counts from 1.
    package var attempt: Int

    package init(event: EventView, routes: [String], attempt: Int = 1) {
        self.event = event
        self.routes = routes
        self.attempt = attempt
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
