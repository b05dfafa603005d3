package import Delivery
internal import HTTPServer
internal import HTTPTypes

/// What an operator may do, asked for on the control socket.
package struct OperatorDesk: Sendable {
    private let engine: DeliveryEngine
    private let store: DeliveryStore

    package init(engine: DeliveryEngine, store: DeliveryStore) {
        self.engine = engine
        self.store = store
    }

    /// The header that says who asks, for the audit log.
    package static let actorHeader = "Gatehouse-Actor"
    /// Actions on one target: `POST /api/v1/targets/NAME/pause`.
    package static let targetActions = ["pause", "resume", "forget"]

    /// Nil when it is not asked for anything of its own.
    func answer(_ head: HTTPRequestHead) throws -> HTTPResponse? {
        if head.path == DeadLetterQuery.path {
            let (query, isWhole, after) = try DeadLetterQuery.parse(head.query)
            return ControlHandler.page(try query.page(store, after: after, isWhole: isWhole))
        }
        guard head.method == "POST" else { return nil }
        let parts = head.path.dropFirst(ListQuery.prefix.count).split(separator: "/").map(String.init)
        let actor = String((head.headers[Self.actorHeader] ?? "local").prefix(64))
        do {
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
            return ProblemDetails(
                status: 409, code: "not_done", title: "This was not done", detail: error.message
            ).response()
        }
    }

    private func decide(_ action: DeadLetterAction, _ head: HTTPRequestHead, _ actor: String) throws -> HTTPResponse {
        let (query, _, _) = try DeadLetterQuery.parse(head.query)
        guard !query.isEmpty else {
            throw QueryError("say which dead letters: by id, event, target, reason, time or where")
        }
        return Self.done(try engine.decide(action, try query.filter(), by: actor, where: try query.predicate()))
    }

    /// `{done: COUNT}`
    private static func done(_ count: Int) -> HTTPResponse {
        HTTPResponse(
            status: 200, headers: ["Content-Type": "application/json"], body: Array(#"{"done": \#(count)}"#.utf8))
    }
}
