internal import Configuration
internal import Events
internal import JSON
internal import Targets

struct FormatCommand: Command {
    let name = "format"
    let summary = "shows a canonical event in a format"
    let synopsis = "--as NAME [-c FILE --target T] [FILE]"
    let options: [Option] = [
        .value(
            "as", "NAME", "\(Formats.all.map(\.name).joined(separator: ", ")), or template; default the target's own"),
        .value("target", "NAME", "with this target's settings and field policy"), .configuration,
    ]
    let example = """
        gatehouse format --as cef event.json
        gatehouse events -c gatehouse.yaml --limit 3 | gatehouse format --as ecs -c gatehouse.yaml --target siem
        """

    func run(_ arguments: Arguments) throws -> Int32 {
        if arguments.operands.count > 1 { try arguments.requireOperands(1, "") }
        let preview = try preview(arguments)
        let input = try readInput(arguments.operands.first)
        // One event over several lines, or one a line.
        if let event = try? EventView(parsing: input, with: JSONParser()) {
            try show(event, preview, "the event")
            return ExitCode.success
        }
        var line = 0
        for text in input.split(separator: 0x0A, omittingEmptySubsequences: false) {
            line += 1
            guard text.contains(where: { ![0x20, 0x0D, 0x09].contains($0) }) else { continue }
            try show(try event(Array(text), line), preview, "line \(line)")
        }
        return ExitCode.success
    }

    private func preview(_ arguments: Arguments) throws -> FormatPreview {
        let name = arguments.value("as")
        if let name, Formats.named(name) == nil, name != "template" {
            let known = Formats.all.map(\.name) + ["template"]
            throw UsageError("there is no format \(name); known are \(known.joined(separator: ", "))")
        }
        guard name != nil || arguments.has("target") else {
            throw UsageError("say the format with --as, or a target with --target")
        }
        let target = try arguments.value("target").map { try self.target($0, arguments) }
        do {
            return try FormatPreview(name, as: target, hostname: Machine.name)
        } catch {
            throw CommandFailure(error.message)
        }
    }

    private func target(_ name: String, _ arguments: Arguments) throws -> any TargetBlueprint {
        let configuration = try arguments.loadConfiguration(.checking)
        guard let target = configuration.targets.first(where: { $0.settings.name == name }) else {
            throw CommandFailure("no target is named \(Terminal.harmless(name))")
        }
        return target
    }

    private func event(_ text: [UInt8], _ line: Int) throws -> EventView {
        do {
            if let event = try EventView(parsing: text, with: JSONParser()) { return event }
        } catch {
            let place = error.offset.map { " at byte \($0)" } ?? ""
            throw CommandFailure("line \(line) is not JSON: \(error.message)\(place)")
        }
        throw CommandFailure(
            "line \(line) is not a canonical event; `gatehouse normalise` makes one of a sender's payload")
    }

    private func show(_ event: EventView, _ preview: FormatPreview, _ what: String) throws {
        do {
            Terminal.print(bytes: try preview.line(OutgoingEvent(event: event, routes: [])))
        } catch {
            throw CommandFailure("\(what): \(error.message)")
        }
    }
}
