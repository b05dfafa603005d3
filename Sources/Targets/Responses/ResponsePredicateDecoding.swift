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
        refused = reader.optional("refused").flatMap { ResponseRefusal($0, &diagnostics) }
        if node.entries?.isEmpty == true {
            diagnostics.error(at: node.location, "`response:` needs `ok:`, `retry:` or `items:`")
        }
        reader.finish(&diagnostics)
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
