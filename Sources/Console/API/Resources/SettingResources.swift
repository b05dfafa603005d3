extension APIResource {
    static let targets = APIResource(
        path: "targets", summary: "lists the targets, what each has had and what it waits for",
        details: "A team sees its own targets; their counters are of all events.", result: .list("Target"),
        isForTeams: true
    ) { request, records in
        .page(RecordPage(lines: try records.local.targets(named: request.caller.team?.targets)))
    }

    static let routes = APIResource(
        path: "routes", summary: "lists the routes at work, in the order of their files",
        parameters: [
            .limit, .cursor, .target, APIParameter(name: "team", kind: .text, summary: "of this team"),
        ],
        result: .list("Route"), isForTeams: true
    ) { request, records in
        let cursor = try APICursor.decode(request, of: "routes")
        var query = ListQuery(.routes)
        query.target = request.text("target")
        query.team = request.text("team")
        if let own = request.caller.team?.name {
            guard query.team ?? own == own else { return .page(RecordPage(lines: [])) }
            query.team = own
        }
        var page = try records.local.routes(query, after: cursor, limit: request.limit)
        page.next = APICursor.encode(page.next, of: "routes", request)
        return .page(page)
    }

    static let teams = APIResource(
        path: "teams", summary: "lists the teams, and how their files stand",
        details: "A team sees itself; else this is for the role operator.",
        result: .list("Team"), isForTeams: true
    ) { request, records in
        // A message may quote a condition, which may name people.
        guard request.caller.team != nil || request.caller.role == .operator else { throw APIProblem.role(.operator) }
        var query = ListQuery(.teams)
        query.team = request.caller.team?.name
        return .page(try records.local.page(query, after: nil))
    }

    static let reconcile = APIResource(
        path: "reconcile", summary: "proves that every accepted event has one state at every target",
        result: .object("Balance")
    ) { _, records in
        .object(try records.local.reconcile().json)
    }

    static let description = APIResource(
        path: "openapi.json", summary: "describes this API (OpenAPI 3.1)", result: .object("Description"),
        isForTeams: true
    ) { _, _ in
        .object(OpenAPIDocument.text)
    }
}
