internal import EventLog
internal import Events
internal import JSON
internal import Rules
internal import Synchronization
internal import YAML

/// A condition in the route language, asked of records.
final class EventCondition: Sendable {
    private struct State: ~Copyable {
        var scratch: MatchScratch
        let parser = JSONParser()
    }

    private let filter: RuleFilter
    private let state = Mutex(State(scratch: MatchScratch()))

    /// Nil for no condition.
    init?(_ text: String?) throws {
        guard let text else { return nil }
        do throws(Diagnostics) {
            filter = try RuleFilter(text)
        } catch {
            throw RecordError(error.description)
        }
    }

    /// Whether a record's event meets it; an erased record and one that is not there any more do not.
    func takes(_ record: LogRecord?) -> Bool {
        guard let record else { return false }
        return state.withLock { state in
            guard let tape = try? state.parser.parse(record.payload), let event = EventView(tape) else { return false }
            return filter.takes(event, scratch: &state.scratch)
        }
    }
}
