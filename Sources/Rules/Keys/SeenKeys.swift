package import Events
internal import JSON
internal import YAML

/// The names of the entries of `personal` and `additional` that events had, by source: names, never values. Senders
/// choose them, so what is kept is bounded, and shown only with care.
package struct SeenKeys: Sendable, Equatable {
    private struct Source: Sendable, Equatable {
        var vendor: String
        var names: [EventField: Set<String>] = [:]
    }

    /// The most names kept, of all sources together.
    package static let most = 10_000
    /// Bytes; longer names are passed over.
    package static let longest = 200
    package static let fields: [EventField] = [.personal, .additional]

    private var sources: [String: Source] = [:]
    package private(set) var count = 0
    /// Where in the log looking for names goes on, as the log writes its positions.
    package var position: String?

    package init() {}

    /// Whether there was no room for some name: then one that is not here may still have been seen.
    package var isFull: Bool { count >= Self.most }

    /// - Returns: whether something was new.
    @discardableResult
    package mutating func note(_ event: EventView) -> Bool {
        guard !isFull, let source = event.text(.source), let vendor = event.text(.vendor) else { return false }
        let before = count
        for field in Self.fields {
            guard let map = event.value(field) else { continue }
            for (key, _) in event.tape.members(map) where event.tape.span(key).count <= Self.longest + 2 {
                if let name = event.tape.text(key) { insert(name, field, source, vendor) }
            }
        }
        return count != before
    }

    private mutating func insert(_ name: String, _ field: EventField, _ source: String, _ vendor: String) {
        guard !isFull, sources[source]?.names[field]?.contains(name) != true else { return }
        sources[source, default: Source(vendor: vendor)].names[field, default: []].insert(name)
        count += 1
    }

    /// Whether any source's events had it.
    package func contains(_ name: String, in field: EventField) -> Bool {
        sources.values.contains { $0.names[field]?.contains(name) ?? false }
    }

    /// The name that was probably meant: one that was seen and differs in case, in spaces, or by a few letters. Nil for
    /// a name that was seen itself, and when nothing near it was.
    package func nearest(to name: String, in field: EventField) -> String? {
        guard isComparable(name), !contains(name, in: field) else { return nil }
        let names = sources.values.reduce(into: Set<String>()) { $0.formUnion($1.names[field] ?? []) }
        // In one order, so that of two equally near the same is told every time.
        return YAML.nearest(name, among: names.sorted())
    }

    /// A sentence for whoever wrote a rule with this name; nil when there is nothing to say.
    package func hint(for name: String, in field: EventField) -> String? {
        guard isComparable(name), !contains(name, in: field) else { return nil }
        let begin = "no event had `\(displayable(name))` in \(field.path)"
        for other in Self.fields where other != field && contains(name, in: other) {
            return begin + "; it was in \(other.path)"
        }
        return nearest(to: name, in: field).map { begin + ", but `\(displayable($0))`" }
    }

    /// What was not kept cannot be said to be new.
    private func isComparable(_ name: String) -> Bool { !isFull && name.utf8.count <= Self.longest }
}

// MARK: As a file

extension SeenKeys {
    /// `{"position": …, "sources": {NAME: {"vendor": …, "personal": […], "additional": […]}}}`.
    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        if let position {
            writer.key("position")
            writer.string(position)
        }
        writer.key("sources")
        writer.beginObject()
        for (name, source) in sources.sorted(by: { $0.key < $1.key }) {
            writer.key(name)
            writer.beginObject()
            writer.key("vendor")
            writer.string(source.vendor)
            for field in Self.fields {
                writer.key(field.path)
                writer.strings((source.names[field] ?? []).sorted())
            }
            writer.endObject()
        }
        writer.endObject()
        writer.endObject()
        writer.endLine()
        return writer.bytes
    }

    /// Nil for a text that is not one of these.
    package init?(json: [UInt8]) {
        guard let tape = try? JSONParser().parse(json), tape.kind(tape.root) == .object,
            let sources = tape.member(tape.root, "sources"), tape.kind(sources) == .object
        else { return nil }
        position = tape.member(tape.root, "position").flatMap(tape.text)
        for (key, source) in tape.members(sources) {
            guard let name = tape.text(key), let vendor = tape.member(source, "vendor").flatMap(tape.text) else {
                return nil
            }
            for field in Self.fields {
                guard let list = tape.member(source, named: field.path) else { continue }
                for element in tape.elements(list) {
                    if let text = tape.text(element) { insert(text, field, name, vendor) }
                }
            }
        }
    }
}
