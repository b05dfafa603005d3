internal import Delivery

extension APIParameter {
    /// What is to be sent once more.
    static let replay: [APIParameter] = [
        APIParameter(name: "target", kind: .text, summary: "where to; needed"),
        APIParameter(
            name: "since", kind: .moment,
            summary: "received then or later: RFC 3339, or milliseconds since 1970; needed"),
        .until, APIParameter(name: "route", kind: .text, summary: "only what this route takes"), .condition,
        APIParameter(
            name: "decode_again", kind: .boolean,
            summary: "the sender's own text is read again with today's settings of its source"),
    ]
}

extension APIResource {
    static let replays = APIResource(
        path: "replay", summary: "lists replays, oldest first",
        details: "Those at work, and the newest 100 that have ended. A team's token sees those it began.",
        result: .list("Replay"), role: .operator, isForTeams: true
    ) { request, records in
        guard let desk = records.desk else { throw APIProblem.notFound() }
        return .page(RecordPage(lines: try desk.replays(team: request.caller.team?.name).map(\.json)))
    }

    static let replay = APIResource(
        path: "replay/{id}", summary: "tells how far a replay has come", result: .object("Replay"), role: .operator,
        isForTeams: true, further: noReplay
    ) { request, records in
        .object(try records.replay(request).json)
    }

    static let beginReplay = APIResource(
        method: "POST", path: "replay", summary: "sends events to a target once more",
        details: "Through today's routes, marked with the replay's number, after everything the target has of its own. "
            + "A team's token replays what its team's routes take. Audited.",
        parameters: APIParameter.replay, result: .object("Replay"), role: .operator, isForTeams: true,
        further: conflict
    ) { request, records in
        try records.act("replay?" + records.replayQuery(request).text, request)
    }

    static let rehearseReplay = APIResource(
        method: "POST", path: "replay/dry-run", summary: "tells what a replay would send, without sending it",
        details: "A piece of the log at a time: while `next` is not null, ask again with it as `cursor`, and add up.",
        parameters: APIParameter.replay + [
            APIParameter(
                name: "limit", kind: .integer(0...ReplayQuery.maximumLimit), summary: "the most events listed (100)"),
            .cursor,
        ],
        result: .object("ReplayRehearsal"), role: .operator, isForTeams: true, further: conflict
    ) { request, records in
        try records.act("replay/dry-run?" + records.replayQuery(request).text, request)
    }

    static let cancelReplay = APIResource(
        method: "DELETE", path: "replay/{id}", summary: "cancels a replay",
        details: "What is on its way ends; what waits for another try is given up. Audited.",
        result: .object("Replay"), role: .operator, isForTeams: true, further: noReplay.merging(conflict) { $1 }
    ) { request, records in
        let number = try records.replay(request).number
        return try records.act("replay/\(number)", request, method: "DELETE")
    }

    private static let noReplay = [404: "there is no such replay"]
}

extension APIRecords {
    fileprivate func replay(_ request: APIRequest) throws -> ReplayStatus {
        guard let number = Int64(request.pathValues["id"] ?? ""),
            let found = try desk?.replay(number, team: request.caller.team?.name)
        else { throw APIProblem.notFound("There is no replay of this number.") }
        return found
    }

    fileprivate func replayQuery(_ request: APIRequest) throws(APIProblem) -> ReplayQuery {
        if let team = request.caller.team, let target = request.text("target"), !team.targets.contains(target) {
            throw .notForTeams
        }
        var query = ReplayQuery()
        query.target = request.text("target")
        query.since = request.moment("since")
        query.until = request.moment("until")
        query.route = request.text("route")
        query.condition = request.text("where")
        query.decodesAgain = request.flag("decode_again")
        query.limit = request.integer("limit")
        if let text = request.text("cursor") {
            guard let cursor = ReplayCursor(text) else { throw .query("the cursor is not one of ours") }
            query.cursor = cursor
        }
        return query
    }
}
