import JSON
import YAML

extension ResponsePredicate {
    /// Reads `response:`. Nil when an error was reported.
    init?(_ node: YAMLNode, _ policy: ContentPolicy, _ diagnostics: inout Diagnostics) {
        guard var reader = MappingReader(node, "response", &diagnostics) else { return nil }
        whole = Verdict(&reader, &diagnostics)
        if let node = reader.optional("items") { items = ResultList(node, "items", policy, &diagnostics) }
        if let node = reader.optional("errors") {
            errors = ResultList(node, "errors", policy, &diagnostics)
            if reader["items"] == nil {
                diagnostics.error(
                    at: node.location, "`errors:` needs `items:`: an event that no result names is sent again")
            }
            if errors != nil, errors?.id == nil {
                diagnostics.error(at: node.location, "`errors:` needs `id:`, because not every event is among them")
            }
        }
        taken = reader.optional("taken").map { Self.taken($0, &diagnostics) } ?? []
        let statuses = reader.optional("statuses")?.list(&diagnostics)
            .compactMap { $0.integer(in: 200...299, &diagnostics) }
        self.statuses = statuses.map { Set($0) }
        refused = reader.optional("refused").flatMap { ResponseRefusal($0, &diagnostics) }
        if node.entries?.isEmpty == true {
            diagnostics.error(at: node.location, "`response:` needs `ok:`, `retry:` or `items:`")
        }
        reader.finish(&diagnostics)
    }

    /// None of those that speak of the request and not of what it is for.
    private static func taken(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> Set<Int> {
        var statuses: Set<Int> = []
        for element in node.list(&diagnostics) {
            guard let status = element.integer(in: 400...499, &diagnostics) else { continue }
            guard ![401, 403, 407, 408, 425, 429].contains(status) else {
                diagnostics.error(
                    at: element.location, "a \(status) says that nothing was done, so it cannot mean that all is well")
                continue
            }
            statuses.insert(status)
        }
        return statuses
    }
}

extension ResponsePredicate.Verdict {
    fileprivate init(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        ok = reader.optional("ok").flatMap { AnswerCondition($0, "ok", &diagnostics) }
        retry = reader.optional("retry").flatMap { AnswerCondition($0, "retry", &diagnostics) }
    }
}

extension ResponsePredicate.ResultList {
    fileprivate init?(
        _ node: YAMLNode, _ name: String, _ policy: ContentPolicy, _ diagnostics: inout Diagnostics
    ) {
        guard var reader = MappingReader(node, name, &diagnostics) else { return nil }
        let at = reader.required("at", &diagnostics)?.pointer(&diagnostics)
        let id = reader.optional("id")?.pointer(&diagnostics)
        let eventNode = reader.optional("event")
        let event =
            eventNode.flatMap { BodyTemplate($0, policy, &diagnostics) }
            ?? .value(TemplateReference(field: .envelope("id")), .always)
        let verdict = ResponsePredicate.Verdict(&reader, &diagnostics)
        reader.finish(&diagnostics)
        if let eventNode {
            if eventNode.scalar == nil {
                diagnostics.error(at: eventNode.location, "`event:` is a text, such as \"{visitor.email}\"")
            } else if reader["id"] == nil {
                diagnostics.error(at: eventNode.location, "`event:` is what `id:` is compared with, which is not there")
            }
        }
        guard let at else { return nil }
        self.init(at: at, id: id, event: event, verdict: verdict)
    }
}
