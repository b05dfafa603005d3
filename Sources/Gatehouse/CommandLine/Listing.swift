internal import Configuration
internal import Console
internal import Events
internal import Ingest
internal import JSON
internal import Targets
internal import YAML

/// What the listing commands have in common: where the records are, which of them, and how they are shown.
struct Listing {
    private let records: any RecordSource
    private let query: ListQuery
    private let isJSON: Bool
    private let arguments: Arguments

    init(_ arguments: Arguments, _ kind: ListQuery.Kind) throws {
        self.arguments = arguments
        try arguments.requireOperands(0, "")
        var query = ListQuery(kind)
        query.limit = try arguments.integer("limit", in: 1...ListQuery.maximumLimit)
        query.since = try arguments.moment("since")?.milliseconds
        query.source = arguments.value("source")
        query.target = arguments.value("target")
        query.team = arguments.value("team")
        query.type = arguments.value("type")
        query.id = arguments.value("id")
        query.condition = arguments.value("where")
        query.includesSystem = arguments.has("system")
        self.query = query
        isJSON = arguments.has("json")
        records = try Records.open(arguments, for: kind)
    }

    func forEach(_ body: (Record) throws -> Void) throws {
        let parser = JSONParser()
        try forEachLine { try body(Record(tape: try parser.parse($0))) }
    }

    private func forEachLine(_ body: ([UInt8]) throws -> Void) throws {
        var isEmpty = true
        try records.forEach(query) {
            isEmpty = false
            try body($0)
        }
        if isEmpty { doubtNames() }
    }

    /// An empty list may be a mistyped name: of what is configured now, as what was recorded has other names too.
    private func doubtNames() {
        guard query.target != nil || query.source != nil || query.type != nil,
            let configuration = try? arguments.loadConfiguration(.checking)
        else { return }
        doubt(query.target, "target", among: configuration.targets.map(\.settings.name))
        doubt(query.source, "source", among: configuration.sources.map(\.name))
        doubt(query.type, "canonical type", among: CanonicalType.allCases.map(\.rawValue))
    }

    private func doubt(_ name: String?, _ what: String, among known: [String]) {
        guard let name, !known.contains(name) else { return }
        Terminal.complain("no \(what) is called \(Terminal.harmless(name))\(didYouMean(name, among: known))")
    }

    /// Prints every record: as it is for machines, as a row of `cells` for people.
    func print(heading: [String], _ cells: (Record) -> [String]) throws {
        if isJSON {
            try forEachLine { Terminal.print(bytes: $0) }
            return
        }
        let parser = JSONParser()
        var rows = [heading]
        func flush() {
            for (index, line) in Terminal.table(rows).enumerated() {
                Terminal.print(index == 0 && rows[0] == heading ? Terminal.paint(line, .bold) : line)
            }
            rows = []
        }
        try forEachLine { line in
            rows.append(cells(Record(tape: try parser.parse(line))))
            // Rows are aligned a screenful or two at a time, so that a long list needs no memory.
            if rows.count >= 500 { flush() }
        }
        flush()
    }
}

/// One record of a list, read for people.
struct Record {
    let tape: JSONTape

    /// A scalar at a JSON pointer such as `/last/status`, harmless for a terminal; `-` when absent or null.
    /// - Parameter most: characters shown.
    func callAsFunction(_ pointer: String, most: Int = 120) -> String {
        guard let pointer = try? JSONPointer(pointer), let place = tape.value(at: pointer) else { return "-" }
        if tape.kind(place) == .array {
            return tape.elements(place).compactMap(tape.scalarText).map { Terminal.harmless($0) }.joined(separator: ",")
        }
        let text = tape.scalarText(place) ?? "-"
        return text.isEmpty ? "-" : Terminal.harmless(text.prefix(most))
    }

    /// Why a delivery is as it is: of its last try, or why the target was never to have it.
    var reason: String {
        let tried = self("/last/reason")
        return tried == "-" ? self("/reason") : tried
    }

    /// Where something went, and by which replay.
    var target: String { self("/replay") == "-" ? self("/target") : "\(self("/target")) (replay \(self("/replay")))" }
}
