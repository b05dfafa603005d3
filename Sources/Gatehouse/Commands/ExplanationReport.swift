internal import Delivery
internal import Events
internal import JSON
internal import Rules
internal import Targets

/// An explanation, and what the targets would be sent, as people and machines read it.
struct ExplanationReport {
    let event: EventView
    let explanation: Explanation
    let targets: [any TargetBlueprint]
    /// Only one route was asked for: what others do is not told.
    let isOfOneRoute: Bool
    /// What is at work.
    let plan: RulePlan
    /// Nil for an event that nobody waited for, and where only one route was asked for.
    var decided: DecidedReport?
    /// Whether what it tells of people is left out.
    var isMasked = false

    /// Why a target that routes bring the event does not take it; nil: it does.
    private func refusal(_ target: String) -> FilteredReason? {
        var gate = AdmissionGate(targets.first { $0.settings.name == target }?.settings, plan)
        return gate?.refusal(of: event)
    }

    /// What a target would be sent, or why that cannot be told.
    private func rendition(_ target: String, _ routes: [String]) -> Result<TargetRendition, RenderingError> {
        guard let blueprint = targets.first(where: { $0.settings.name == target }) else {
            return .failure(RenderingError("it is switched off or not configured"))
        }
        let outgoing = OutgoingEvent(event: event, routes: routes)
        do throws(RenderingError) {
            return .success(
                try blueprint.rendition(of: outgoing, hostname: Machine.name, now: .now()))
        } catch {
            return .failure(error)
        }
    }

    // MARK: for machines

    /// One object on one line.
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("event")
        writer.beginObject()
        for (name, text) in about {
            writer.key(name)
            if let text { writer.string(text) } else { writer.null() }
        }
        writer.endObject()
        writer.key("plan")
        writer.string(plan.hash)
        writer.key("decision")
        if let decided { decided.append(to: &writer) } else { writer.null() }
        let routes = Dictionary(explanation.targets.map { ($0.target, $0.routes) }) { one, _ in one }
        let shown = isMasked ? explanation.masked : explanation
        shown.appendMembers(to: &writer) { target, writer in
            if let refusal = refusal(target) {
                writer.beginObject()
                writer.member("filtered", refusal.rawValue)
                writer.endObject()
            } else {
                append(rendition(target, routes[target] ?? []), to: &writer)
            }
        }
        writer.endObject()
        return writer.bytes
    }

    private func append(_ result: Result<TargetRendition, RenderingError>, to writer: inout JSONWriter) {
        writer.beginObject()
        switch result {
        case .failure(let error):
            writer.key("error")
            writer.string(error.message)
        case .success(let rendition):
            writer.key("destination")
            writer.string(rendition.destination)
            if let method = rendition.method {
                writer.key("method")
                writer.string(method)
                writer.key("headers")
                writer.beginArray()
                for header in rendition.headers {
                    writer.beginObject()
                    writer.key("name")
                    writer.string(header.name)
                    writer.key("value")
                    writer.string(isMasked ? "***" : header.value)
                    writer.endObject()
                }
                writer.endArray()
            }
            writer.key("batch")
            writer.bool(rendition.isBatch)
            writer.key("size")
            writer.integer(Int64(rendition.bytes.count))
            writer.key("bytes")
            if isMasked { writer.string("***") } else { writer.string(utf8: rendition.bytes) }
        }
        writer.endObject()
    }

    private var about: [(String, String?)] {
        [
            ("id", event.attribute("id")), ("type", event.type), ("time", event.time?.text),
            ("source", event.text(.source)), ("site", event.text(.siteID)),
        ]
    }

    // MARK: for people

    func show() {
        let source = event.text(.source).map { " of \(Terminal.harmless($0))" } ?? ""
        let time = event.time.map { " at \($0.text)" } ?? ""
        let id = event.attribute("id").map { " (\(Terminal.harmless($0)))" } ?? ""
        Terminal.print(Terminal.paint(Terminal.harmless(event.type), .bold) + source + time + id)
        if !isOfOneRoute { Terminal.print(destinations) }
        decided?.show()
        for route in explanation.routes {
            Terminal.print("")
            for line in FindingText.lines(of: route) { Terminal.print(line) }
        }
        for (target, routes) in explanation.targets {
            Terminal.print("")
            if let refusal = refusal(target) {
                Terminal.print(
                    "\(Terminal.paint(Terminal.harmless(target), .bold)) would not be sent it: filtered (\(refusal.rawValue))"
                )
            } else {
                show(rendition(target, routes), target)
            }
        }
    }

    private var destinations: String {
        let targets = explanation.targets.filter { refusal($0.target) == nil }.map { target, routes in
            "\(Terminal.harmless(target)) (by \(routes.map { Terminal.harmless($0) }.joined(separator: ", ")))"
        }
        return targets.isEmpty ? "goes to no target" : "goes to " + targets.joined(separator: ", ")
    }

    private func show(_ result: Result<TargetRendition, RenderingError>, _ target: String) {
        let name = Terminal.paint(Terminal.harmless(target), .bold)
        switch result {
        case .failure(let error):
            Terminal.print("\(name) would be sent it, but \(Terminal.harmless(error.message))")
        case .success(let rendition):
            let batch = rendition.isBatch ? ", with others that come soon, as one batch:" : ":"
            Terminal.print("\(name) would be sent \(rendition.bytes.count) bytes\(batch)")
            let method = rendition.method.map { $0 + " " } ?? "to "
            Terminal.print("  \(method)\(Terminal.harmless(rendition.destination))")
            for header in rendition.headers {
                Terminal.print("  \(Terminal.harmless(header.name)): \(Terminal.harmless(header.value))")
            }
            let text = String(decoding: rendition.bytes, as: UTF8.self)
            for line in text.split(separator: "\n") { Terminal.print("  " + Terminal.harmless(line)) }
        }
    }
}
