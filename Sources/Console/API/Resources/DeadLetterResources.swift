internal import Delivery
internal import HTTPServer
internal import HTTPTypes
internal import JSON

extension APIParameter {
    /// Which dead letters are meant.
    static let deadLetters: [APIParameter] = [
        .target, APIParameter(name: "event", kind: .text, summary: "of the event of this id"),
        APIParameter(name: "reason", kind: .text, summary: "with this reason"),
        APIParameter(name: "since", kind: .moment, summary: "that became one then or later"),
        APIParameter(name: "until", kind: .moment, summary: "that became one before"), .condition,
    ]
}

extension APIResource {
    static let deadLetters = APIResource(
        path: "dead-letters", summary: "lists dead letters, oldest first",
        parameters: [.limit, .cursor] + APIParameter.deadLetters, result: .list("DeadLetter")
    ) { request, records in
        let cursor = try APICursor.decode(request, of: "dead-letters")
        guard let after = cursor.map({ Int64($0) }) ?? 0 else {
            throw APIProblem.query("the cursor is not one of ours")
        }
        var page = try records.deadLetterQuery(request).page(
            records.local.store, after: after, isWhole: false, limit: request.limit)
        page.next = APICursor.encode(page.next, of: "dead-letters", request)
        return .page(page)
    }

    static let deadLetter = APIResource(
        path: "dead-letters/{id}", summary: "gives one dead letter with its event and the receiver's answer",
        details: "The event and the answer are masked like an event.", parameters: [.unmask],
        result: .object("WholeDeadLetter"), isPersonal: true, further: [404: "there is no such dead letter"]
    ) { request, records in
        var query = DeadLetterQuery()
        query.id = Int64(request.pathValues["id"] ?? "")
        guard query.id != nil, let line = try query.page(records.local.store, after: 0, isWhole: true).lines.first
        else {
            throw APIProblem.notFound("There is no dead letter of this id.")
        }
        return .object(line)
    }

    static let requeue = decision(.requeue, "sends dead letters again")
    static let discard = decision(.discard, "gives dead letters up for good")

    private static func decision(_ action: DeadLetterAction, _ summary: String) -> APIResource {
        APIResource(
            method: "POST", path: "dead-letters/\(action.rawValue)", summary: summary,
            details: "Those that the parameters mean; at least one is to be given. Audited.",
            parameters: [APIParameter(name: "id", kind: .integer(0...Int.max), summary: "of this id")]
                + APIParameter.deadLetters,
            result: .object("Done"), role: .operator, further: conflict
        ) { request, records in
            let query = try records.deadLetterQuery(request)
            return try records.act("dead-letters/\(action.rawValue)?\(query.text)", request)
        }
    }

    static let conflict = [409: "it could not be done, and why"]
}

extension APIRecords {
    fileprivate func deadLetterQuery(_ request: APIRequest) throws(APIProblem) -> DeadLetterQuery {
        // A condition that is not the caller's to ask.
        _ = try request.filters()
        var query = DeadLetterQuery()
        query.id = request.integer("id").map(Int64.init)
        query.event = request.text("event")
        query.target = request.text("target")
        query.reason = request.text("reason")
        query.since = request.moment("since")
        query.until = request.moment("until")
        query.condition = request.text("where")
        return query
    }

    /// Has the operators' desk do it, in the caller's name.
    /// - Parameter action: the path below `/api/v1/`, with its query.
    func act(_ action: String, _ request: APIRequest, method: String = "POST") throws -> APIOutcome {
        var headers: HeaderFields = [OperatorDesk.actorHeader: request.caller.name]
        if let team = request.caller.team { headers.append(OperatorDesk.teamHeader, team.name) }
        let head = HTTPRequestHead(method: method, target: APIResources.prefix + action, headers: headers)
        guard let response = try desk?.answer(head) else { throw APIProblem.notFound() }
        return .response(response)
    }
}
