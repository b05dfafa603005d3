internal import Events
internal import HTTPTypes
internal import JSON
internal import Rules

/// A request of the API that may be answered: its caller is known, and its query makes sense.
struct APIRequest: Sendable {
    var caller: APICaller
    /// What stood at `{…}` in the path.
    var pathValues: [String: String]
    var parameters: [String: String]
    /// The request's path, for links to it.
    var path: String
    var body: [UInt8] = []

    func text(_ name: String) -> String? { parameters[name] }
    func integer(_ name: String) -> Int? { parameters[name].flatMap { Int($0) } }
    func moment(_ name: String) -> Int64? { parameters[name].flatMap(APIParameter.moment) }
    func flag(_ name: String) -> Bool { parameters[name] == "true" }

    var limit: Int { integer("limit") ?? APIParameter.usualLimit }
    var isNewestFirst: Bool { text("order") != "oldest" }
    /// Whether personal fields are asked for in the clear.
    var isUnmasked: Bool { flag("unmask") }

    /// What an event must meet: `where`, and the scope of the caller's team.
    /// - Throws: `APIProblem` for a condition that makes no sense, or that is not the caller's to ask.
    func filters() throws(APIProblem) -> [RuleFilter] {
        var filters: [RuleFilter] = []
        if let scope = caller.team?.scope { filters.append(scope) }
        guard let text = text("where") else { return filters }
        do throws(RecordError) {
            filters.append(try EventCondition.filter(text))
        } catch {
            throw .query(error.description)
        }
        // What is masked could be found out by asking for it.
        if caller.role < .operator, filters.last?.asksForPersonalData ?? true { throw .personalCondition }
        return filters
    }
}

extension APIRequest {
    /// Takes a query apart.
    /// - Throws: for a parameter that is unknown, stands twice, or makes no sense.
    static func parse(_ query: String?, _ known: [APIParameter]) throws(APIProblem) -> [String: String] {
        var values: [String: String] = [:]
        for item in (query ?? "").split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0]),
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "")
            else { throw .query("a %-escape in the query is wrong") }
            try add(value, name, to: &values, known)
        }
        return values
    }

    /// Takes further parameters out of the body, the members of a JSON object.
    mutating func addParameters(from body: [UInt8], _ known: [APIParameter]) throws(APIProblem) {
        guard !body.isEmpty else { return }
        guard let tape = try? JSONParser().parse(body), tape.kind(tape.root) == .object else {
            throw .query("the body is not a JSON object of parameters")
        }
        for (key, value) in tape.members(tape.root) where tape.kind(value) != .null {
            guard let name = tape.text(key), let text = tape.scalarText(value) else {
                throw .query("a parameter in the body is a text, a number or a truth value")
            }
            try Self.add(text, name, to: &parameters, known)
        }
    }

    private static func add(
        _ value: String, _ name: String, to values: inout [String: String], _ known: [APIParameter]
    ) throws(APIProblem) {
        guard let parameter = known.first(where: { $0.name == name }) else {
            let names = known.map(\.name).joined(separator: ", ")
            throw .query(
                "there is no such parameter here; " + (known.isEmpty ? "there are none" : "there are \(names)"))
        }
        if let flaw = parameter.flaw(value) { throw .query(flaw) }
        guard values.updateValue(value, forKey: name) == nil else { throw .query("\(name) stands twice") }
    }
}
