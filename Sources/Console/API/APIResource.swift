internal import HTTPTypes

/// One resource of the API: what it is called, what it takes, who may ask for it, and how it is answered. One file a
/// resource, one line in `APIResources.all`; the description at `openapi.json` is made of them.
struct APIResource: Sendable {
    var method = "GET"
    /// Below `/api/v1/`, with names in braces: `events/{id}`.
    var path: String
    var summary: String
    /// Further sentences for the description.
    var details = ""
    var parameters: [APIParameter] = []
    var result: APIResult
    /// The least role that may ask.
    var role = APIRole.viewer
    /// Whether a team's token may ask.
    var isForTeams = false
    /// Whether answers tell of people, and so are masked unless asked for in the clear.
    var isPersonal = false
    /// Whether it hides them itself.
    var masksItself = false
    /// Codes it answers with beside those that every resource has, and what they mean.
    var further: [Int: String] = [:]
    /// Bytes of a request's body that is not made of parameters.
    var maximumBody = 0
    var answer: @Sendable (APIRequest, APIRecords) throws -> APIOutcome

    /// Whether parameters may stand in the body too, as a JSON object: what acts is written rather than looked up.
    var takesParametersInBody: Bool { method == "POST" && maximumBody == 0 && !parameters.isEmpty }

    /// The names in braces, in order.
    var pathNames: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }

    /// What stands at the names in braces; nil for another path.
    /// - Parameter parts: of the path below `/api/v1/`, %-escapes undone.
    func values(_ parts: [String]) -> [String: String]? {
        let own = path.split(separator: "/")
        guard own.count == parts.count else { return nil }
        var values: [String: String] = [:]
        for (name, part) in zip(own, parts) {
            if name.hasPrefix("{") {
                values[String(name.dropFirst().dropLast())] = part
            } else if name != part {
                return nil
            }
        }
        return values
    }
}

/// What a resource answers with, when all is well.
enum APIResult: Sendable {
    /// A list of objects of that schema of `APISchemas`.
    case list(String)
    /// One object of that schema.
    case object(String)
}

/// What a resource has found.
enum APIOutcome: Sendable {
    case page(RecordPage)
    /// One JSON object.
    case object([UInt8])
    /// What was done, or why not.
    case response(HTTPResponse)
    /// To be called once with the rest, from any thread.
    case later(@Sendable (@escaping @Sendable (Result<APIOutcome, any Error>) -> Void) -> Void)
}

/// Every resource.
enum APIResources {
    static let all: [APIResource] = [
        .events, .event, .tail, .trace, .deliveries, .deliveriesOfEvent, .refusals, .quarantine, .targets, .pause,
        .resume, .test, .forget, .deadLetters, .deadLetter, .requeue, .discard, .replays, .replay, .beginReplay,
        .rehearseReplay, .cancelReplay, .routes, .teams, .reconcile, .explain, .explainEvent, .audit,
        .description,
    ]

    static let prefix = ListQuery.prefix

    /// The resources of a path, one a method, and what stands at the names in it.
    static func at(_ path: String) -> [(resource: APIResource, values: [String: String])] {
        guard path.hasPrefix(prefix) else { return [] }
        var parts: [String] = []
        for part in path.dropFirst(prefix.count).split(separator: "/", omittingEmptySubsequences: false) {
            guard let text = PercentEncoding.decode(part), !text.isEmpty else { return [] }
            parts.append(text)
        }
        return all.compactMap { resource in resource.values(parts).map { (resource, $0) } }
    }
}
