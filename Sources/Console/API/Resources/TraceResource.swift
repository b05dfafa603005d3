internal import Events

extension APIResource {
    static let trace = APIResource(
        path: "trace/{id}", summary: "tells an event's whole life",
        details: "By the event's id; for the role operator also by the sender's own key, and by a visitor's or visit's "
            + "id, the newest event first.",
        parameters: [.limit], result: .list("Trace"), isForTeams: true,
        further: [404: "nothing was found by this id"]
    ) { request, records in
        let text = request.pathValues["id"] ?? ""
        if EventID(hex: text) != nil {
            let record = try records.event(request)
            return .page(RecordPage(lines: [try records.local.trace(record, targets: request.caller.team?.targets)]))
        }
        // To find somebody by an id is to ask for what is masked.
        guard request.caller.role == .operator, request.caller.team == nil else { throw APIProblem.role(.operator) }
        var query = ListQuery(.trace)
        query.id = text
        query.limit = request.integer("limit")
        let page = try records.local.page(query, after: nil)
        guard !page.lines.isEmpty else { throw APIProblem.notFound("Nothing was found by this id.") }
        return .page(page)
    }
}
