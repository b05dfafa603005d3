internal import EventLog
internal import Events
internal import JSON
internal import Rules
internal import Synchronization
internal import YAML

/// What is asked of an event: conditions in the route language, and whether the routes take it to a target.
final class EventCondition: Sendable {
    private struct State: ~Copyable {
        var scratches: [MatchScratch]
        var routing = MatchScratch()
        let parser = JSONParser()
    }

    private let filters: [RuleFilter]
    private let destination: (plan: RulePlan, target: String)?
    private let state: Mutex<State>

    /// All of them must hold; nil when nothing is asked.
    init?(_ filters: [RuleFilter], to destination: (plan: RulePlan, target: String)? = nil) {
        guard !filters.isEmpty || destination != nil else { return nil }
        self.filters = filters
        self.destination = destination
        state = Mutex(State(scratches: filters.map { _ in MatchScratch() }))
    }

    /// Nil for no condition.
    convenience init?(_ text: String?) throws {
        try self.init(text.map { [try Self.filter($0)] } ?? [])
    }

    static func filter(_ text: String) throws(RecordError) -> RuleFilter {
        do throws(Diagnostics) {
            return try RuleFilter(text)
        } catch {
            throw RecordError(error.description)
        }
    }

    /// Whether a record's event meets it; an erased record and one that is not there any more do not.
    func takes(_ record: LogRecord?) -> Bool {
        guard let record else { return false }
        return takes(payload: record.payload)
    }

    /// - Parameter payload: an event's text.
    func takes(payload: [UInt8]) -> Bool {
        state.withLock { state in
            guard let tape = try? state.parser.parse(payload), let event = EventView(tape) else { return false }
            for index in filters.indices where !filters[index].takes(event, scratch: &state.scratches[index]) {
                return false
            }
            guard let destination else { return true }
            let matches = destination.plan.match(event, scratch: &state.routing)
            return matches.contains { $0.target == destination.target }
        }
    }
}
