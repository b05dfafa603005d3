package import Delivery
internal import HTTPServer
internal import HTTPTypes
internal import Targets

/// What an operator may do, asked for on the control socket.
package struct OperatorDesk: Sendable {
    private let engine: any DeliveryOperations
    private let store: DeliveryStore

    /// - Parameters:
    ///   - engine: does what is asked for.
    ///   - store: where dead letters are looked at.
    package init(engine: any DeliveryOperations, store: DeliveryStore) {
        self.engine = engine
        self.store = store
    }

    /// The header that says who asks, for the audit log.
    package static let actorHeader = "Gatehouse-Actor"
    /// The header that says whose team's routes alone are meant.
    package static let teamHeader = "Gatehouse-Team"
    /// Actions on one target: `POST /api/v1/targets/NAME/pause`.
    package static let targetActions = ["pause", "resume", "forget"]

    /// Nil when it is not asked for anything of its own.
    func answer(_ head: HTTPRequestHead) throws -> HTTPResponse? {
        if head.path == DeadLetterQuery.path {
            let (query, isWhole, after) = try DeadLetterQuery.parse(head.query)
            return ControlHandler.page(try query.page(store, after: after, isWhole: isWhole))
        }
        let parts = head.path.dropFirst(ListQuery.prefix.count).split(separator: "/").map(String.init)
        let actor = Self.actor(head)
        do {
            if parts.first == "replay" { return try replay(Array(parts.dropFirst()), head, actor) }
            guard head.method == "POST" else { return nil }
            switch parts.count {
            case 2 where parts[0] == "dead-letters":
                guard let action = DeadLetterAction(rawValue: parts[1]) else { return nil }
                return try decide(action, head, actor)
            case 3 where parts[0] == "targets":
                guard let name = PercentEncoding.decode(Substring(parts[1])) else { return nil }
                switch parts[2] {
                case "pause": try engine.pause(name, by: actor)
                case "resume": try engine.resume(name, by: actor)
                case "forget": try engine.forget(name, by: actor)
                default: return nil
                }
                return Self.done(1)
            default: return nil
            }
        } catch let error as DeliveryStoreError {
            return Self.refusal(error)
        }
    }

    private func decide(_ action: DeadLetterAction, _ head: HTTPRequestHead, _ actor: String) throws -> HTTPResponse {
        let (query, _, _) = try DeadLetterQuery.parse(head.query)
        guard !query.isEmpty else {
            throw QueryError("say which dead letters: by id, event, target, reason, time or where")
        }
        let decision = try engine.carryOut(
            action, on: try query.filter(), by: actor, where: try query.predicate())
        return Self.done(decision.done, waiting: decision.waiting, kept: decision.kept)
    }

    // MARK: samples

    /// The target whose test is asked for: `POST /api/v1/targets/NAME/test`.
    static func testedTarget(_ head: HTTPRequestHead) -> String? {
        let parts = head.path.dropFirst(ListQuery.prefix.count).split(separator: "/")
        guard head.method == "POST", parts.count == 3, parts[0] == "targets", parts[2] == "test" else { return nil }
        return PercentEncoding.decode(parts[1])
    }

    static func actor(_ head: HTTPRequestHead) -> String {
        String((head.headers[actorHeader] ?? "local").prefix(64))
    }

    /// - Parameter completion: called once, on any thread, when the receiver has answered or the time is over.
    func test(_ target: String, by actor: String, completion: @escaping @Sendable (HTTPResponse) -> Void) {
        do {
            try engine.test(target, by: actor) { completion(Self.object($0.json)) }
        } catch let error as DeliveryStoreError {
            completion(Self.refusal(error))
        } catch {
            completion(APIProblem.auditUnavailable.response)
        }
    }

    private static func refusal(_ error: DeliveryStoreError) -> HTTPResponse {
        ProblemDetails(status: 409, code: "not_done", title: "This was not done", detail: error.message).response()
    }

    // MARK: replays

    /// - Parameter parts: of the path, behind `replay`.
    private func replay(_ parts: [String], _ head: HTTPRequestHead, _ actor: String) throws -> HTTPResponse? {
        let team = head.headers[Self.teamHeader]
        switch (head.method, parts.first.flatMap { Int64($0) }) {
        case ("GET", nil) where parts.isEmpty:
            return ControlHandler.page(RecordPage(lines: try replays(team: team).map(\.json)))
        case ("GET", let number?) where parts.count == 1:
            return try replay(number, team: team).map { Self.object($0.json) }
        case ("DELETE", let number?) where parts.count == 1:
            guard try replay(number, team: team) != nil else {
                throw DeliveryStoreError("there is no replay \(number)")
            }
            return Self.object(try engine.cancelReplay(number, by: actor).json)
        case ("POST", nil) where parts.isEmpty:
            let query = try ReplayQuery.parse(head.query)
            return Self.object(try engine.replay(try query.request(team: team), by: actor).json)
        case ("POST", nil) where parts == ["dry-run"]:
            let query = try ReplayQuery.parse(head.query)
            let rehearsal = try engine.rehearse(
                try query.request(team: team), after: query.cursor, limit: query.limit ?? ReplayQuery.usualLimit)
            return Self.object(rehearsal.json)
        default: return nil
        }
    }

    /// - Parameter team: nil: everybody's.
    func replays(team: String?) throws -> [ReplayStatus] {
        try engine.replays().filter { team == nil || $0.request.team == team }
    }

    func replay(_ number: Int64, team: String?) throws -> ReplayStatus? {
        try replays(team: team).first { $0.number == number }
    }

    private static func object(_ json: [UInt8]) -> HTTPResponse {
        HTTPResponse(status: 200, headers: ["Content-Type": "application/json"], body: json)
    }

    /// `{done: COUNT}`, and `waiting` where other instances have not answered yet.
    private static func done(_ count: Int, waiting: Int = 0, kept: Int = 0) -> HTTPResponse {
        let further = [("waiting", waiting), ("kept", kept)].filter { $0.1 > 0 }.map { #", "\#($0)": \#($1)"# }.joined()
        return HTTPResponse(
            status: 200, headers: ["Content-Type": "application/json"],
            body: Array(#"{"done": \#(count)\#(further)}"#.utf8))
    }
}
