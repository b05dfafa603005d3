internal import Delivery

extension APIResource {
    static let deliveries = APIResource(
        path: "deliveries", summary: "lists what became of events at their targets",
        details: "What was filtered has no row here; `deliveries/{id}` tells of it.",
        parameters: [
            .cursor, .limit, .order, .since, .until, .source, .type, .target,
            APIParameter(
                name: "state", kind: .choice(DeliveryState.allCases.map(\.name)), summary: "in this state"),
            .condition,
        ],
        result: .list("Delivery"), isForTeams: true
    ) { request, records in
        let cursor = try APICursor.decode(request, of: "deliveries")
        var filter = DeliveryFilter()
        filter.target = request.text("target")
        filter.source = request.text("source")
        filter.type = request.text("type")
        filter.sinceMs = request.moment("since")
        filter.untilMs = request.moment("until")
        filter.state = request.text("state").flatMap { name in DeliveryState.allCases.first { $0.name == name } }
        var page = try records.pager.deliveries(
            filter, EventCondition(try request.filters()), targets: request.caller.team?.targets,
            isNewestFirst: request.isNewestFirst, from: cursor, limit: request.limit)
        page.next = APICursor.encode(page.next, of: "deliveries", request)
        return .page(page)
    }

    static let deliveriesOfEvent = APIResource(
        path: "deliveries/{id}", summary: "tells what became of one event at every target, attempt by attempt",
        details:
            "Of targets that filtered it or have not read it yet, too. What was sent and answered is masked like an "
            + "event; a team's token sees it where no other event went with it. `request.reproducible` says whether it "
            + "could be rendered again as it was sent, by its SHA-256; else `why` not, and `body` is what was kept of an "
            + "attempt that failed.",
        parameters: [.unmask], result: .list("DeliveryHistory"), isForTeams: true, isPersonal: true,
        further: [404: "there is no such event, or it was removed"]
    ) { request, records in
        let record = try records.event(request)
        return .page(RecordPage(lines: try records.local.deliveries(of: record, seenBy: request.caller.team)))
    }

    static let refusals = APIResource(
        path: "refusals", summary: "lists requests that were not taken, and why",
        parameters: [.cursor, .limit, .order, .since, .source], result: .list("Refusal")
    ) { request, records in
        let cursor = try APICursor.decode(request, of: "refusals")
        var page = try records.pager.refusals(
            source: request.text("source"), sinceMs: request.moment("since"), isNewestFirst: request.isNewestFirst,
            from: cursor, limit: request.limit)
        page.next = APICursor.encode(page.next, of: "refusals", request)
        return .page(page)
    }

    static let quarantine = APIResource(
        path: "quarantine", summary: "lists elements of batches that could not be decoded",
        details: "The newest, oldest first.", parameters: [.limit, .since, .source], result: .list("Quarantined")
    ) { request, records in
        var query = ListQuery(.quarantine)
        query.limit = request.limit
        query.since = request.moment("since")
        query.source = request.text("source")
        return .page(try records.local.page(query, after: nil))
    }
}
