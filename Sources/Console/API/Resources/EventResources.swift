internal import Dispatch
internal import EventLog
internal import Events

extension APIResource {
    static let events = APIResource(
        path: "events", summary: "lists events",
        details: "With `target`, the events that today's routes take there.",
        parameters: [
            .cursor, .limit, .order, .since, .until, .source, .type, .target, .condition, .system, .unmask,
        ],
        result: .list("Event"), isForTeams: true, isPersonal: true, further: [410: "the cursor's place was removed"]
    ) { request, records in
        let cursor = try APICursor.decode(request, of: "events")
        var page = try records.pager.events(
            try records.eventFilter(request), isNewestFirst: request.isNewestFirst, from: cursor, limit: request.limit)
        page.next = APICursor.encode(page.next, of: "events", request)
        return .page(page)
    }

    static let event = APIResource(
        path: "events/{id}", summary: "gives one event", parameters: [.unmask], result: .object("Event"),
        isForTeams: true, isPersonal: true, further: [404: "there is no such event, or it was removed"]
    ) { request, records in
        .object(try records.event(request).payload)
    }

    static let tail = APIResource(
        path: "tail", summary: "waits for events",
        details: "Without a cursor it answers at once with one: what comes from now on follows it. With a cursor it "
            + "answers as soon as an event has come, oldest first, or with none after `wait` seconds; ask again with "
            + "the new `next`.",
        parameters: [
            .cursor, .limit,
            APIParameter(name: "wait", kind: .integer(0...30), summary: "the most seconds to wait (25)"),
            .source, .type, .target, .condition, .system, .unmask,
        ],
        result: .list("Event"), isForTeams: true, isPersonal: true, further: [410: "the cursor's place was removed"]
    ) { request, records in
        let filter = try records.eventFilter(request)
        let head = records.local.log.head
        guard let text = try APICursor.decode(request, of: "tail") else {
            return .page(RecordPage(lines: [], next: APICursor.encode(head.description, of: "tail", request)))
        }
        guard let position = LogPosition(text) else { throw APIProblem.query("the cursor is not one of ours") }
        let deadline = DispatchTime.now() + .seconds(request.integer("wait") ?? 25)
        return .later { done in
            let waiter = TailHub.Waiter(
                filter: filter, position: position, limit: request.limit, deadline: deadline
            ) { result in
                done(
                    result.map { page in
                        .page(RecordPage(lines: page.lines, next: APICursor.encode(page.next, of: "tail", request)))
                    })
            }
            if !records.tail.wait(waiter) { done(.failure(APIProblem.busy)) }
        }
    }
}

extension APIRecords {
    /// The event of the path's id, when the caller may see it.
    func event(_ request: APIRequest) throws -> LogRecord {
        let problem = APIProblem.notFound("There is no event of this id, or it was removed.")
        guard let id = EventID(hex: request.pathValues["id"] ?? ""), let record = try local.log.lookup(id),
            !record.isErased
        else { throw problem }
        if let scope = EventCondition(try request.filters()), !scope.takes(record) { throw problem }
        return record
    }
}
