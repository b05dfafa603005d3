internal import EventLog
internal import Events
internal import JSON
internal import Rules
internal import Targets

/// Matches events by the running plan and names what took them.
struct Matcher {
    let plan: RulePlan
    private var scratch = MatchScratch()
    /// By the routes' places in the plan.
    private var routeSets: [[Int]: RouteSet] = [:]
    private let errors: RouteErrors
    /// By the targets' places among the engine's targets.
    var gates: [Int: AdmissionGate] = [:]

    init(_ plan: RulePlan, errors: RouteErrors) {
        self.plan = plan
        self.errors = errors
    }

    mutating func match(_ view: EventView) -> [TargetMatch] {
        let matches = plan.match(view, scratch: &scratch)
        for route in plan.failedRoutes(scratch) { errors.count(plan.routes[route].name) }
        return matches
    }

    /// Why the target does not take an event that a route brings it; nil: it does.
    /// - Parameter runtime: its place among the engine's targets.
    mutating func refusal(_ runtime: Int, of view: EventView) -> FilteredReason? {
        gates[runtime]?.refusal(of: view)
    }

    mutating func routeSet(_ routes: [Int], _ store: DeliveryStore) -> RouteSet {
        if let known = routeSets[routes] { return known }
        let made = store.routeSet(routes.map { plan.routes[$0].name })
        routeSets[routes] = made
        return made
    }

    func reasons(_ routes: [Int], _ view: EventView) -> [[String]] {
        routes.map { plan.reasons($0, view) }
    }
}

extension LoggedEvent {
    convenience init(_ record: LogRecord, view: EventView?, flaw: String? = nil) {
        self.init(
            place: record.place, id: record.id, type: record.type, source: record.source,
            receivedAtMs: record.receivedAtMs, payload: record.payload, view: view, flaw: flaw)
    }

    /// An open event, parsed again.
    convenience init(_ entry: OpenEntry, _ payload: [UInt8], _ parser: JSONParser) {
        self.init(
            place: entry.place, id: entry.id, type: entry.type, source: entry.source,
            receivedAtMs: entry.receivedAtMs, payload: payload, view: try? EventView(parsing: payload, with: parser))
    }
}
