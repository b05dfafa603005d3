internal import EventLog

extension APIResource {
    static let explain = APIResource(
        path: "explain",
        summary: "tells why routes take an event of the log, or do not, and what targets would be sent",
        details: "By today's rules. " + view,
        parameters: [APIParameter(name: "id", kind: .text, summary: "the event's id; required")] + parameters,
        result: .object("Explanation"), isForTeams: true, isPersonal: true, masksItself: true,
        further: [404: "there is no such event, or it was removed"]
    ) { request, records in
        guard let id = request.text("id") else { throw APIProblem.query("say which event: id=…") }
        var event = request
        event.pathValues["id"] = id
        return try records.explain(try records.event(event).payload, request)
    }

    static let explainEvent = APIResource(
        method: "POST", path: "explain", summary: "the same of a canonical event that is sent along",
        details: "The body is the event's JSON; what its envelope leaves out is filled in. Nothing is kept of it. "
            + view,
        parameters: parameters, result: .object("Explanation"), isForTeams: true, isPersonal: true, masksItself: true,
        further: [413: "the event is too large"], maximumBody: 1 << 20
    ) { request, records in
        try records.explain(request.body, request)
    }

    private static let view =
        "A team sees its own routes. Unless unmask=true, values of personal fields, what rules say of them, and what "
        + "targets would be sent are hidden."

    private static let parameters: [APIParameter] = [
        APIParameter(name: "route", kind: .text, summary: "only this route"), .unmask,
    ]
}

extension APIRecords {
    fileprivate func explain(_ event: [UInt8], _ request: APIRequest) throws -> APIOutcome {
        guard let explainer else { throw APIProblem.notFound() }
        let view = ExplanationView(
            route: request.text("route"), team: request.caller.team?.name, isMasked: !request.isUnmasked)
        return .object(try explainer.explain(event, view))
    }
}
