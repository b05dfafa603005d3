internal import Delivery
internal import EventLog
internal import Metrics

/// The log of an instance and what goes with it: where events and the state of their deliveries are kept.
protocol InstanceStorage: AnyObject, Sendable {
    var log: any EventLog & EventIndex { get }
    /// The delivery engine's own, and this instance's ledger of refusals.
    var state: DeliveryStore { get }
    /// What shares the work with other instances; nil: there are none.
    var keeper: (any StateKeeper)? { get }

    /// What there is to see and to do of all deliveries, once the engine is there. To be called once.
    func desk(of engine: DeliveryEngine) throws -> DeliveryDesk

    /// Of the space that acknowledged events may take, what those take that still need it.
    func fill(_ lowestUnfinished: LogPosition) -> LogFill

    /// When any instance last received an event of the source, milliseconds since 1970 UTC. Nil where the log's statistics
    /// know it all, and where it was not found with bounded work.
    func lastAccepted(_ source: String) -> Int64?

    /// What is not as it should be, although the instance can do its work; for people.
    var warnings: [String] { get }

    /// What this instance waits for is given up at the deadline.
    /// - Returns: how many acknowledged events are on this machine's disk alone, and in no log.
    func close(by deadline: ContinuousClock.Instant) throws -> Int64
}

/// All deliveries, of every instance.
struct DeliveryDesk: Sendable {
    /// Brought up to date whenever it is read.
    var records: DeliveryStore
    var operations: any DeliveryOperations
}

/// How full the space for unfinished events is.
struct LogFill: Sendable, Equatable {
    /// Why there are any.
    var reason: String
    var unfinished: Int64
    /// Finished ones too.
    var kept: Int64
    var bytes: Int64
    /// Nil: without bound.
    var maximumBytes: Int64?
}
