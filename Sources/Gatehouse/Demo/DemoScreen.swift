internal import Delivery
internal import Events
internal import JSON
internal import Synchronization
internal import Targets

/// Shows what happens as it happens, one line each, readable and in colour.
final class DemoScreen: Sendable {
    /// The short names of events, so that the lines of one event can be told from another's.
    private let names = Mutex<[EventID: Int]>([:])

    private static let arrow = Terminal.paint("→", .dim)

    func say(_ text: String = "") { Terminal.print(text) }

    func heading(_ text: String) { Terminal.print("\n" + Terminal.paint(text, .bold)) }

    /// A request of a simulated sender, and its answer.
    func sent(_ sender: String, _ event: String, count: Int, status: Int?, detail: String) {
        let answer = status.map(String.init) ?? "no answer"
        let isFine = (200..<300).contains(status ?? 0)
        let many = count == 1 ? "" : " × \(count)"
        Terminal.print(
            Terminal.paint("POST ", .blue) + Self.padded("\(sender) \(event)\(many)", 44)
                + Terminal.paint(answer, isFine ? .green : .red) + " " + Terminal.paint(Self.short(detail), .dim))
    }

    func observe(_ observation: DeliveryObservation) {
        switch observation {
        case .taken(let event, let target, let routes, let reasons):
            introduce(event)
            for (route, why) in zip(routes, reasons) {
                Terminal.print(
                    "  \(label(event.id)) \(Terminal.paint("route", .magenta)) \(Self.padded(route, 28)) "
                        + "\(Self.arrow) \(Self.padded(target, 8)) "
                        + Terminal.paint(
                            "because \(why.isEmpty ? "it takes everything" : why.joined(separator: ", "))", .dim))
            }
        case .filtered(let event):
            introduce(event)
            Terminal.print("  \(label(event.id)) \(Terminal.paint("filtered", .yellow)): no route takes it")
        case .refused(let event, let target, _, let reason):
            introduce(event)
            Terminal.print(
                "  \(label(event.id)) \(Terminal.paint("filtered", .yellow)): \(target) does not take it "
                    + "(\(reason.rawValue))")
        case .delivered(let id, let target, let attempt, let receipt):
            let status = receipt.status.map { " \($0)" } ?? ""
            let again = attempt > 1 ? " at attempt \(attempt)" : ""
            Terminal.print(
                "  \(label(id)) \(Terminal.paint("delivered", .green)) to \(target)\(status), \(receipt.bytes) bytes\(again)"
            )
        case .failed(let id, let target, let attempt, let failure):
            Terminal.print(
                "  \(label(id)) \(Terminal.paint("failed", .red)) at \(target), attempt \(attempt): \(failure.code)")
        case .buried(let id, let target, let reason):
            Terminal.print("  \(label(id)) \(Terminal.paint("dead letter", .red)) of \(target): \(reason)")
        }
    }

    /// Says once of each event what came in.
    private func introduce(_ event: LoggedEvent) {
        guard names.withLock({ $0[event.id] == nil }) else { return }
        let what = "\(event.type) of \(event.source)"
        let whom = [event.view?.attribute("subject"), event.view?.text(.visitorName), event.view?.text(.siteName)]
        Terminal.print(
            "  \(label(event.id)) \(Terminal.paint("accepted", .blue)) \(what): "
                + Self.short(whom.compactMap(\.self).joined(separator: ", ")))
    }

    /// What a local receiver got.
    func received(_ receiver: String, _ text: String, verdict: String? = nil) {
        let verified = verdict.map { " " + Terminal.paint("[\($0)]", $0.hasPrefix("SIGN") ? .red : .green) } ?? ""
        Terminal.print(
            "    " + Terminal.paint(Self.padded(receiver, 8), .cyan) + " got" + verified + " " + Self.short(text))
    }

    private func label(_ id: EventID) -> String {
        let number = names.withLock { names in
            let next = names.count + 1
            return names[id]
                ?? {
                    names[id] = next
                    return next
                }()
        }
        return Terminal.paint(Self.padded("#\(number)", 4), .bold)
    }

    private static func short(_ text: String) -> String {
        let harmless = Terminal.harmless(text)
        return harmless.count <= 110 ? harmless : harmless.prefix(109) + "…"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
