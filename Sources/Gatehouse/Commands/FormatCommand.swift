internal import Configuration
internal import Events
internal import JSON
internal import Targets
internal import YAML

struct FormatCommand: Command {
    let name = "format"
    let summary = "shows a canonical event in a format"
    let synopsis = "--as NAME [-c FILE --target T] [--json] [FILE]"
    let options: [Option] = [
        .value(
            "as", "NAME", "\(Formats.all.map(\.name).joined(separator: ", ")), or template; default the target's own"),
        .value("target", "NAME", "with this target's settings and field policy"), .configuration, .json,
    ]
    let example = """
        gatehouse format --as cef event.json
        gatehouse events -c gatehouse.yaml --limit 3 --json | gatehouse format --as ecs -c gatehouse.yaml --target siem
        """

    func run(_ arguments: Arguments) throws -> Int32 {
        if arguments.operands.count > 1 { try arguments.requireOperands(1, "") }
        let preview = try preview(arguments)
        let asJSON = arguments.has("json")
        let input = try readInput(arguments.operands.first)
        // One event over several lines, or one a line.
        if let event = try? EventView(parsing: input, with: JSONParser()) {
            return show(event, preview, asJSON, "the event") ? ExitCode.success : ExitCode.failed
        }
        var (line, shown, refused) = (0, 0, 0)
        for text in input.split(separator: 0x0A, omittingEmptySubsequences: false) {
            line += 1
            guard text.contains(where: { ![0x20, 0x0D, 0x09].contains($0) }) else { continue }
            if let event = event(Array(text), line), show(event, preview, asJSON, "line \(line)") {
                shown += 1
            } else {
                refused += 1
            }
        }
        if shown + refused == 0 { throw CommandFailure("there is no event in what was given") }
        return refused == 0 ? ExitCode.success : ExitCode.failed
    }

    private func preview(_ arguments: Arguments) throws -> FormatPreview {
        let name = arguments.value("as")
        let known = Formats.all.map(\.name) + ["template"]
        if let name, !known.contains(name) {
            let near = didYouMean(name, among: known)
            throw UsageError(
                "there is no format \(Terminal.harmless(name))\(near); known are \(known.joined(separator: ", "))")
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
        let targets = try arguments.loadConfiguration(.checking).targets
        guard let target = targets.first(where: { $0.settings.name == name }) else {
            let near = didYouMean(name, among: targets.map(\.settings.name))
            throw CommandFailure("no target is named \(Terminal.harmless(name))\(near)")
        }
        return target
    }

    private func event(_ text: [UInt8], _ line: Int) -> EventView? {
        do {
            if let event = try EventView(parsing: text, with: JSONParser()) { return event }
            complain("line \(line) is not a canonical event; `gatehouse normalise` makes one of a sender's payload")
        } catch {
            let place = error.offset.map { " at byte \($0)" } ?? ""
            complain("line \(line) is not JSON: \(error.message)\(place)")
        }
        return nil
    }

    /// Whether it could be written.
    private func show(_ event: EventView, _ preview: FormatPreview, _ asJSON: Bool, _ what: String) -> Bool {
        do {
            let line = try preview.line(OutgoingEvent(event: event, routes: []))
            Terminal.print(bytes: asJSON ? Self.json(event, preview, line) : line)
            return true
        } catch {
            complain("\(what): \(error.message)")
            return false
        }
    }

    private static func json(_ event: EventView, _ preview: FormatPreview, _ line: [UInt8]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        if let id = event.id {
            writer.key("id")
            writer.string(id.description)
        }
        writer.key("format")
        writer.string(preview.formatName)
        writer.key("bytes")
        writer.integer(Int64(line.count))
        writer.key("line")
        writer.string(utf8: line)
        writer.endObject()
        return writer.bytes
    }

    private func complain(_ message: String) {
        Terminal.complain("gatehouse \(name): \(message)")
    }
}
