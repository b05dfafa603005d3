import Events
import JSON

/// `response:`: what an answer of 2xx says, for services that answer so and have failed, or that took some of a batch.
struct ResponsePredicate: Sendable {
    /// Asked of the whole answer.
    var whole = Verdict()
    /// One result for each event.
    var items: ResultList?
    /// Further results, of events that failed; what they say goes before what `items` says.
    var errors: ResultList?
    /// Other statuses than 2xx that say that all is as it should be: what was to be made is there, what was to go is gone.
    var taken: Set<Int> = []
    /// What answers of other statuses say.
    var refused: ResponseRefusal?

    /// Those of 2xx that are read; nil: all.
    var statuses: Set<Int>?

    /// Whether an answer of 2xx is looked into.
    func reads(_ status: Int) -> Bool {
        guard whole.ok != nil || whole.retry != nil || items != nil else { return false }
        return statuses?.contains(status) ?? true
    }

    /// What tells a success from a failure, and a failure of the receiver from one of the event.
    struct Verdict: Sendable {
        /// Nil: all that is not to be tried again.
        var ok: AnswerCondition?
        var retry: AnswerCondition?
    }

    struct ResultList: Sendable {
        var at: JSONPointer
        /// Where a result names its event, or a list of events; nil: results are in the order of the events.
        var id: JSONPointer?
        /// What it is named by.
        var event: BodyTemplate
        var verdict = Verdict()
    }

    /// What is kept of an answer to so many events.
    func maximumAnswer(events: Int) -> Int {
        items == nil ? 65_536 : min(16 << 20, 65_536 + 4096 * events)
    }

    /// What results of these events name them by. Taken before the answer is there, so that the events need not stay.
    func names(_ events: [OutgoingEvent], _ policy: ContentPolicy) -> EventNames {
        EventNames(
            count: events.count, items: items.flatMap { names($0, events, policy) } ?? [:],
            errors: errors.flatMap { names($0, events, policy) } ?? [:])
    }

    private func names(_ list: ResultList, _ events: [OutgoingEvent], _ policy: ContentPolicy) -> [String: [Int]]? {
        guard list.id != nil else { return nil }
        var places: [String: [Int]] = [:]
        for (place, outgoing) in events.enumerated() {
            guard let text = list.event.text(outgoing.event, policy) else { continue }
            places[text, default: []].append(place)
        }
        return places
    }
}

/// The places, in the request, of the events that a name stands for.
struct EventNames: Sendable {
    var count: Int
    var items: [String: [Int]]
    var errors: [String: [Int]]
}

extension BodyTemplate {
    /// Of a template that is one text or value: that text; nil when it is empty.
    fileprivate func text(_ event: EventView, _ policy: ContentPolicy) -> String? {
        guard let tape = try? JSONParser().parse(render(event, policy)), let text = tape.scalarText(tape.root),
            !text.isEmpty
        else { return nil }
        return text
    }
}
