import Events
import JSON

/// Writes an event by the rules of a format of JSON objects. Rules whose paths begin alike stand together; objects are
/// opened when something is in them.
struct RecordWriter {
    private var writer = JSONWriter(reserving: 2048)
    private var open: [StaticString] = []
    private let places: EventPlaces
    private let outgoing: OutgoingEvent
    private let options: RenderingOptions
    /// Whether the record is one that will be shortened.
    private let isTruncated: Bool
    /// Fields that stand in the record already, a bit each.
    private var taken: UInt128 = 0

    private let tape: JSONTape

    private init(
        _ places: EventPlaces, _ outgoing: OutgoingEvent, _ options: RenderingOptions, isTruncated: Bool
    ) {
        self.places = places
        tape = places.tape
        self.outgoing = outgoing
        self.options = options
        self.isTruncated = isTruncated
    }

    /// The record, shortened where there is a limit.
    static func render(
        _ rules: [RecordRule], _ places: EventPlaces, _ outgoing: OutgoingEvent, _ options: RenderingOptions,
        _ shape: JSONShortener.Shape
    ) throws(RenderingError) -> [UInt8] {
        var record = record(rules, places, outgoing, options, isTruncated: false)
        if let limit = options.limit, record.count > limit {
            record = Self.record(rules, places, outgoing, options, isTruncated: true)
            record = try JSONShortener.shortened(record, to: limit, shape)
        }
        JSONFormat.joinLines(&record)
        return record
    }

    private static func record(
        _ rules: [RecordRule], _ places: EventPlaces, _ outgoing: OutgoingEvent, _ options: RenderingOptions,
        isTruncated: Bool
    ) -> [UInt8] {
        var record = RecordWriter(places, outgoing, options, isTruncated: isTruncated)
        record.writer.beginObject()
        for rule in rules where rule.condition.isEmpty || rule.condition.contains(where: { places.first($0) != nil }) {
            record.write(rule)
        }
        record.move(to: [][...])
        record.writer.endObject()
        return record.writer.bytes
    }

    // MARK: rules

    private mutating func write(_ rule: RecordRule) {
        switch rule.value {
        case .text(let field, let others): text(rule, field, others)
        case .required(let field, let others): if !text(rule, field, others) { string(rule, "unknown") }
        case .address(let field): typed(rule, field, TypedText.isAddress)
        case .hardwareAddress(let field): typed(rule, field, TypedText.isHardwareAddress)
        case .hyphenatedAddress(let field):
            typed(rule, field, TypedText.isHardwareAddress, TypedText.hyphenated)
        case .email(let field): typed(rule, field, TypedText.isEmail)
        case .boolean(let field): if let place = places[field], tape.bool(place) != nil { raw(rule, field, place) }
        case .any(let field): if let place = places[field] { raw(rule, field, place) }
        case .word(let word): string(rule, word)
        case .words(let words): list(rule, words)
        case .number(let number): integer(rule, Int64(number))
        case .eventID: raw(rule, nil, places.id)
        case .typeName: raw(rule, nil, places.typeName)
        case .timeMilliseconds: integer(rule, places.time?.milliseconds ?? 0)
        case .timeText: if let time = places.time { string(rule, time.text) }
        case .receivedMilliseconds:
            if let time = places.timestamp(places[.receivedAt]) { integer(rule, time.milliseconds) }
        case .reason: reason(rule)
        case .hostname: string(rule, options.hostname)
        case .routes: list(rule, outgoing.routes)
        case .all(let fields): list(rule, texts(fields))
        case .addresses(let fields): list(rule, taking(fields, TypedText.isAddress))
        case .hardwareAddresses(let fields):
            list(rule, taking(fields, TypedText.isHardwareAddress).map { TypedText.hyphenated($0) })
        case .rest:
            move(to: rule.path[...])
            rest(of: places.event.data, FieldTree.root)
        case .original: original(rule)
        case .truncated: if isTruncated { flag(rule, true) }
        }
    }

    /// Whether there was one.
    @discardableResult
    private mutating func text(_ rule: RecordRule, _ field: EventField, _ others: [EventField]) -> Bool {
        let hasOwn = places.first(field) != nil
        guard let candidate = hasOwn ? field : others.first(where: { places.first($0) != nil }),
            let place = places.first(candidate)
        else { return false }
        if tape.kind(place) == .string {
            raw(rule, candidate, place)
        } else {
            take(candidate)
            string(rule, tape.scalarText(place) ?? "")
        }
        return true
    }

    private mutating func typed(
        _ rule: RecordRule, _ field: EventField, _ hasForm: (String) -> Bool, _ form: (String) -> String = { $0 }
    ) {
        guard let place = places.first(field), let text = tape.scalarText(place), hasForm(text) else { return }
        take(field)
        string(rule, form(text))
    }

    private mutating func reason(_ rule: RecordRule) {
        if let field = [EventField.decisionReason, .systemReason].first(where: { places.first($0) != nil }) {
            text(rule, field, [])
            return
        }
        let rejection = places.rejection
        guard !rejection.isEmpty else { return }
        begin(rule)
        writer.string(utf8: rejection)
    }

    private func texts(_ fields: [EventField]) -> [String] {
        var texts: [String] = []
        for field in fields {
            guard let text = places.first(field).flatMap(tape.scalarText), !texts.contains(text) else { continue }
            texts.append(text)
        }
        return texts
    }

    private mutating func taking(_ fields: [EventField], _ hasForm: (String) -> Bool) -> [String] {
        let taken = fields.filter { places.first($0).flatMap(tape.scalarText).map(hasForm) ?? false }
        for field in taken { take(field) }
        return texts(taken)
    }

    private mutating func original(_ rule: RecordRule) {
        guard !isTruncated else { return }
        // Biometrics have no place in a log of others, whatever the target is given otherwise.
        let policy = ContentPolicy(includesOriginal: options.policy.includesOriginal, includesBiometrics: false)
        guard let original = policy.original(of: places.event) else { return }
        begin(rule)
        writer.string(utf8: original)
    }

    // MARK: values

    private mutating func take(_ field: EventField) {
        taken |= 1 << UInt128(field.rawValue)
    }

    private mutating func string(_ rule: RecordRule, _ text: String) {
        begin(rule)
        writer.string(text)
    }

    private mutating func integer(_ rule: RecordRule, _ value: Int64) {
        begin(rule)
        writer.integer(value)
    }

    private mutating func flag(_ rule: RecordRule, _ value: Bool) {
        begin(rule)
        writer.bool(value)
    }

    private mutating func list(_ rule: RecordRule, _ texts: [String]) {
        guard !texts.isEmpty else { return }
        begin(rule)
        writer.strings(texts)
    }

    /// The value as the event has it.
    private mutating func raw(_ rule: RecordRule, _ field: EventField?, _ place: JSONIndex?) {
        guard let place else { return }
        if let field { take(field) }
        begin(rule)
        writer.raw(tape, place)
    }

    // MARK: objects

    /// Opens what the rule's member stands in, and writes its key.
    private mutating func begin(_ rule: RecordRule) {
        move(to: rule.path.dropLast())
        writer.key(rule.path[rule.path.count - 1])
    }

    /// Closes and opens objects until exactly those of the path are open.
    private mutating func move(to path: ArraySlice<StaticString>) {
        let common = zip(open, path).prefix { $0.isSame(as: $1) }.count
        for _ in open.dropFirst(common) { writer.endObject() }
        open.removeSubrange(common...)
        for name in path.dropFirst(common) {
            writer.key(name)
            writer.beginObject()
            open.append(name)
        }
    }

    // MARK: the rest

    private mutating func rest(of object: JSONIndex, _ names: Range<Int>) {
        var expected = names.lowerBound
        for (key, value) in tape.members(object) where value != places.event.original {
            let found = FieldTree.find(tape, key, FieldTree.nodes, in: names, from: expected)
            if let found { expected = found + 1 }
            switch found.map({ FieldTree.nodes[$0].content }) {
            case .field(let field)? where isTaken(field): continue
            case .group(let members)? where isSomeTaken(members) && tape.kind(value) == .object:
                guard isSomeLeft(of: value, members) else { continue }
                writer.key(tape.text(key) ?? "")
                writer.beginObject()
                rest(of: value, members)
                writer.endObject()
            default:
                writer.key(tape.text(key) ?? "")
                writer.raw(tape, value)
            }
        }
    }

    private func isTaken(_ field: EventField) -> Bool { taken >> UInt128(field.rawValue) & 1 == 1 }

    private func isSomeTaken(_ members: Range<Int>) -> Bool {
        FieldTree.nodes[members].contains { node in
            switch node.content {
            case .field(let field): isTaken(field)
            case .group(let inner): isSomeTaken(inner)
            }
        }
    }

    private func isSomeLeft(of object: JSONIndex, _ names: Range<Int>) -> Bool {
        tape.members(object).contains { key, value in
            guard let found = FieldTree.find(tape, key, FieldTree.nodes, in: names, from: names.lowerBound) else {
                return true
            }
            switch FieldTree.nodes[found].content {
            case .field(let field): return !isTaken(field)
            case .group(let members):
                return !isSomeTaken(members) || tape.kind(value) != .object || isSomeLeft(of: value, members)
            }
        }
    }
}

extension StaticString {
    func isSame(as other: StaticString) -> Bool {
        withUTF8Buffer { own in other.withUTF8Buffer { unsafe own.elementsEqual($0) } }
    }
}
