package import Events
package import Ingest
internal import JSON
package import Rules
internal import Vendors
internal import YAML

/// Makes the events that rules are tried on: from senders' samples, from payloads, and from canonical events.
package struct EventBuilder: Sendable {
    /// When events made here were received: a Wednesday, at noon.
    package static let receivedAt = Timestamp(milliseconds: 1_736_942_400_000)

    private let sources: [SourceConfiguration]
    private let sites: SiteDirectory

    /// - Parameter sources: in the order of the configuration; a sample is read as the first of its vendor would.
    package init(sources: [SourceConfiguration] = [], sites: SiteDirectory = SiteDirectory()) {
        self.sources = sources
        self.sites = sites
    }

    // MARK: what is given

    /// The event a test is about.
    package func event(of test: RouteTest) throws(RehearsalError) -> EventView {
        do throws(RehearsalError) {
            switch test.given {
            case .sample(let vendor, let event, let changes):
                return try sample(
                    vendor: vendor, event: event, changes: changes, isForDecision: test.decision != nil)
            case .payload(let body, let source):
                let events = try payload(body, source: source)
                guard let event = events.first, events.count == 1 else {
                    throw RehearsalError("the payload holds \(events.count) events; a test has one")
                }
                return event
            case .event(let json):
                return try event(json)
            }
        } catch {
            var error = error
            error.location = error.location ?? test.location
            throw error
        }
    }

    /// - Parameter name: such as `signinapp/visitor.signin`.
    package func sample(
        _ name: String, changes: [FieldChange] = [], isForDecision: Bool = false
    ) throws(RehearsalError) -> EventView {
        let (vendor, event) = try SampleName.parts(of: name)
        return try sample(vendor: vendor, event: event, changes: changes, isForDecision: isForDecision)
    }

    /// A sender's sample, read as the first source of that sender would; a change of `source` names another of them.
    /// - Parameter isForDecision: it is read as a source that decides would.
    package func sample(
        vendor: String, event: String, changes: [FieldChange] = [], isForDecision: Bool = false
    ) throws(RehearsalError) -> EventView {
        let name = try SampleName(vendor: vendor, event: event)
        let own = sources.filter { $0.vendor.name == vendor }
        let wanted = Self.source(of: changes)
        let chosen = own.first { $0.name == wanted }
        let deciding = isForDecision ? own.first { $0.mode != .notify } ?? Self.plain(name.vendor, .decision) : nil
        let source = chosen ?? deciding ?? own.first ?? Self.plain(name.vendor)
        let tape = try Self.parse(Array(name.event.sample.utf8), changes)
        return try build(tape, tape.root, source, changes)
    }

    /// A sender's own JSON, neither verified nor limited: one event, or one for each element of a batch.
    /// - Parameter source: a configured source, or a vendor's name.
    package func payload(
        _ body: [UInt8], source name: String, changes: [FieldChange] = []
    ) throws(RehearsalError) -> [EventView] {
        guard let source = sources.first(where: { $0.name == name }) ?? Vendors.named(name).map({ Self.plain($0) })
        else {
            let names = sources.map(\.name)
            throw RehearsalError(
                "no source is called `\(displayable(name))`"
                    + (names.isEmpty ? "" : "; there are \(names.joined(separator: ", "))"),
                didYouMean: nearest(name, among: names))
        }
        let tape = try Self.tape(body, "the payload")
        guard source.vendor.traits.batches, tape.kind(tape.root) == .array else {
            let changed = try Self.edited(tape, changes, below: [])
            return [try build(changed, changed.root, source, changes)]
        }
        var events: [EventView] = []
        for element in tape.elements(tape.root) {
            let alone = try Self.tape(Array(tape.bytes[tape.span(element)]), "the payload")
            let changed = try Self.edited(alone, changes, below: [])
            events.append(try build(changed, changed.root, source, changes))
        }
        return events
    }

    /// A canonical event. What its envelope leaves out is filled in.
    package func event(_ json: [UInt8], changes: [FieldChange] = []) throws(RehearsalError) -> EventView {
        let tape = try Self.tape(json, "the event")
        let event = try CanonicalEvent(tape)
        if changes.isEmpty, event.isWhole { return event.view }
        let whole = try CanonicalEvent(Self.edited(event.withOriginal, changes, below: ["data", "original"]))
        var draft = whole.draft(receivedAt: Self.receivedAt)
        for change in changes { try DraftChange(change).apply(to: &draft) }
        let isMoved = changes.contains { $0.field == .field(.siteID) }
        let isKeyed = changes.contains { $0.field == .field(.siteKey) }
        let source = draft.text(.source, in: whole.tape).map { String(decoding: $0, as: UTF8.self) } ?? "unknown"
        if isMoved, !isKeyed {
            draft[.siteKey] = .absent
            let timezone = sources.first { $0.name == source }?.timezone
            sites.complete(&draft, source: source, timezone: timezone, tape: whole.tape)
        }
        let encoded = EventEncoder.encode(
            draft, source: source, keySpace: source, tape: whole.tape, element: whole.original, id: whole.view.id)
        return try Self.view(encoded.payload)
    }

    // MARK: making

    private func build(
        _ tape: JSONTape, _ element: JSONIndex, _ source: SourceConfiguration, _ changes: [FieldChange]
    ) throws(RehearsalError) -> EventView {
        let normaliser = Normaliser(source: source, sites: sites)
        let event = try normaliser.normalise(tape, element, receivedAt: Self.receivedAt) {
            draft throws(RehearsalError) in
            for change in changes { try DraftChange(change).apply(to: &draft) }
        }
        return try Self.view(event)
    }

    private static func view(_ payload: [UInt8]) throws(RehearsalError) -> EventView {
        guard let view = try? EventView(parsing: payload, with: JSONParser()) else {
            throw RehearsalError("the event cannot be read")
        }
        return view
    }

    private static func tape(_ text: [UInt8], _ what: String) throws(RehearsalError) -> JSONTape {
        do {
            return try JSONParser().parse(text)
        } catch {
            throw RehearsalError(
                "\(what) is not JSON: \(error.message)" + (error.offset.map { " at byte \($0)" } ?? ""))
        }
    }

    private static func parse(_ text: [UInt8], _ changes: [FieldChange]) throws(RehearsalError) -> JSONTape {
        try edited(tape(text, "the sample"), changes, below: [])
    }

    /// The text with the changes made that point into the payload.
    private static func edited(
        _ tape: JSONTape, _ changes: [FieldChange], below parent: [String]
    ) throws(RehearsalError) -> JSONTape {
        var tape = tape
        for change in changes {
            guard case .pointer(let pointer) = change.field else { continue }
            let edit = JSONEdit(pointer: JSONPointer(tokens: parent + pointer.tokens), value: change.json)
            do {
                tape = try JSONParser().parse(edit.applied(to: tape))
            } catch let error as JSONEdit.Failure {
                throw RehearsalError(error.message, at: change.location)
            } catch {
                throw RehearsalError("the value is not JSON", at: change.location)
            }
        }
        return tape
    }

    /// The source that a change names.
    private static func source(of changes: [FieldChange]) -> String? {
        for change in changes where change.field == .field(.source) {
            guard let json = change.json, let tape = try? JSONParser().parse(json) else { continue }
            return tape.text(tape.root)
        }
        return nil
    }

    private static func plain(_ vendor: any Vendor, _ mode: SourceMode? = nil) -> SourceConfiguration {
        SourceConfiguration(
            name: vendor.name, vendor: vendor, authentication: SourceAuthentication(),
            maximumBody: vendor.traits.maximumBody, settings: DecodeSettings(source: vendor.name),
            mode: mode)
    }
}
