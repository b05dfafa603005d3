package import JSON
internal import YAML

extension Explanation {
    /// The members `routes` and `targets` of an object that is open.
    /// - Parameter sends: writes what a target would be sent as the value of a member; nil leaves the member out.
    package func appendMembers(to writer: inout JSONWriter, sends: ((String, inout JSONWriter) -> Void)? = nil) {
        writer.key("routes")
        writer.beginArray()
        for route in routes { route.append(to: &writer) }
        writer.endArray()
        writer.key("targets")
        writer.beginArray()
        for (target, routes) in targets {
            writer.beginObject()
            writer.key("target")
            writer.string(target)
            writer.key("routes")
            writer.strings(routes)
            if let sends {
                writer.key("sends")
                sends(target, &writer)
            }
            writer.endObject()
        }
        writer.endArray()
    }
}

extension RouteExplanation {
    fileprivate func append(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("name")
        writer.string(name)
        writer.key("team")
        if let team { writer.string(team) } else { writer.null() }
        writer.key("outcome")
        writer.string(outcome.rawValue)
        writer.key("reason")
        writer.string(reason)
        writer.key("unmatched")
        writer.bool(takesUnmatched)
        writer.key("to")
        writer.strings(targets)
        writer.location(location)
        writer.key("scope")
        if let scope { scope.append(to: &writer) } else { writer.null() }
        writer.key("when")
        condition.append(to: &writer)
        writer.endObject()
    }
}

extension Finding {
    /// Each part has `answer` (null: it depends on a question that has no answer) and one of `all`, `any`, `not`,
    /// `condition` with `is`, and `field`.
    fileprivate func append(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("answer")
        if let answer { writer.bool(answer) } else { writer.null() }
        switch part {
        case .all(let parts): Self.append("all", parts, &writer)
        case .any(let parts): Self.append("any", parts, &writer)
        case .not(let finding):
            writer.key("not")
            finding.append(to: &writer)
        case .named(let name, let finding):
            writer.key("condition")
            writer.string(name)
            writer.key("is")
            finding.append(to: &writer)
        case .question(let question): question.append(to: &writer)
        }
        writer.endObject()
    }

    private static func append(_ name: StaticString, _ parts: [Finding], _ writer: inout JSONWriter) {
        writer.key(name)
        writer.beginArray()
        for part in parts { part.append(to: &writer) }
        writer.endArray()
    }
}

extension Question {
    fileprivate func append(to writer: inout JSONWriter) {
        writer.key("field")
        writer.string(field)
        writer.key("expected")
        writer.string(expected)
        writer.key("found")
        if let found { writer.string(found) } else { writer.null() }
        writer.key("state")
        writer.string(state.rawValue)
        writer.key("notes")
        writer.strings(notes)
        writer.location(location)
    }
}
