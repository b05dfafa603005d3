internal import Events
internal import JSON

/// One event's life in sentences.
struct TraceText {
    private let record: Record

    init(_ record: Record) {
        self.record = record
    }

    var lines: [String] {
        var lines = [Terminal.paint("\(record("/event"))  \(record("/type"))", .bold)]
        lines += [received, verified, normalised, decided].compactMap { $0.map { "  " + $0 } }
        let count = targetCount
        if count == 0 { lines.append("  No target was there for it.") }
        for index in 0..<count { lines += target(index).map { "  " + $0 } }
        return lines
    }

    // MARK: how it came

    private var received: String {
        let received = "received at \(record("/received_at")) by source \(record("/source"))"
        if record("/time_inferred") == "true" { return "It was \(received); the sender gave no readable time." }
        guard record("/time") != "-" else { return "It was \(received)." }
        return
            "It happened at \(record("/time")) and was \(received)\(Self.later(record("/time"), record("/received_at")))."
    }

    private static func later(_ time: String, _ received: String) -> String {
        guard let time = Timestamp(time), let received = Timestamp(received) else { return "" }
        let milliseconds = received.milliseconds - time.milliseconds
        guard milliseconds > 0 else { return "" }
        return ", \(span(milliseconds)) later"
    }

    private var verified: String {
        let names = texts("/verified_by/secrets")
        let how = record("/verified_by/how")
        if record("/verified_by/secret") != "-" {
            return "Verified by: \(how), with the secret \(record("/verified_by/secret"))."
        }
        guard !names.isEmpty else { return "Verified by: \(how)." }
        // An event of a version that did not keep the name.
        return "Verified by: \(how), with a secret that was not noted; the source has \(names.joined(separator: ", "))."
    }

    private var normalised: String {
        if record("/erased") == "true" { return "Its content was erased on request." }
        let about = record("/subject") == "-" ? "" : ", about \(record("/subject"))"
        let site = record("/site") == "-" ? "" : " at \(record("/site"))"
        return
            "\(record("/vendor")) called it \(record("/vendor_event")); it became \(record("/type"))\(about)\(site), with "
            + "\(texts("/fields").count) fields in \(record("/size")) bytes."
    }

    /// Of a visitor whose sender waited; nil for every other event.
    private var decided: String? {
        guard record("/decision/outcome") != "-" else { return nil }
        return DecidedText.sentence(outcome: record("/decision/outcome"), reason: record("/decision/reason"))
    }

    // MARK: what became of it

    private var targetCount: Int {
        guard let list = record.tape.member(record.tape.root, "targets") else { return 0 }
        return record.tape.count(list)
    }

    private func target(_ index: Int) -> [String] {
        func value(_ name: String) -> String { record("/targets/\(index)/\(name)", most: 500) }
        let state = value("state")
        let colour: Terminal.Colour =
            switch state {
            case "delivered": .green
            case "dead": .red
            case "pending": .yellow
            default: .dim
            }
        let routes = texts("/targets/\(index)/routes")
        let by = routes.isEmpty ? "" : " by route\(routes.count == 1 ? "" : "s") \(routes.joined(separator: ", "))"
        let why = value("reason") == "-" ? "" : " (\(value("reason")))"
        let replay = value("replay") == "-" ? "" : " (replay \(value("replay")))"
        var lines = ["\(value("target"))\(replay): " + Terminal.paint(state, colour) + why + by + "."]
        lines += attempts(index).map { "  " + $0 }
        // Only where the sentence ends with that moment.
        let moment = value("next").hasSuffix(value("next_at")) ? Self.fromNow(value("next_at")) : ""
        if state == "pending" || state == "dead" {
            lines.append("  Next: \(value("next"))\(moment).")
        }
        return lines
    }

    /// Attempts told of; those before are counted.
    private static let mostAttempts = 10

    private func attempts(_ index: Int) -> [String] {
        let pointer = "/targets/\(index)/history"
        guard let pointed = try? JSONPointer(pointer), let list = record.tape.value(at: pointed) else { return [] }
        let count = record.tape.count(list)
        let first = max(0, count - Self.mostAttempts)
        let before = first > 0 ? ["\(first) attempts, then:"] : []
        return before + (first..<count).map { "Attempt " + AttemptText.line(record, "\(pointer)/\($0)") }
    }

    private static func fromNow(_ time: String) -> String {
        guard let time = Timestamp(time) else { return "" }
        let left = time.milliseconds - Timestamp.now().milliseconds
        return left > 0 ? ", in \(span(left))" : ""
    }

    private static func span(_ milliseconds: Int64) -> String {
        switch milliseconds {
        case ..<1000: "\(milliseconds) ms"
        case ..<120_000: "\(milliseconds / 1000) s"
        case ..<7_200_000: "\(milliseconds / 60_000) min"
        case ..<172_800_000: "\(milliseconds / 3_600_000) h"
        default: "\(milliseconds / 86_400_000) days"
        }
    }

    private func texts(_ pointer: String) -> [String] {
        guard let pointer = try? JSONPointer(pointer), let list = record.tape.value(at: pointer) else { return [] }
        return record.tape.elements(list).compactMap(record.tape.scalarText).map { Terminal.harmless($0) }
    }
}
