import Events
import JSON

/// Writes an event by the rules of a format of JSON objects. Rules whose paths begin alike stand together; objects are
/// opened when something is in them.
struct RecordWriter {
    private var writer = JSONWriter(reserving: 2048)
    private let plan: RecordPlan
    /// The innermost object that is open.
    private var open = RecordPlan.root
    private let places: EventPlaces
    private let outgoing: OutgoingEvent
    private let options: RenderingOptions
    /// Whether the record is one that will be shortened.
    private let isTruncated: Bool
    /// Fields that stand in the record already, a bit each.
    private var taken: UInt128 = 0

    private let tape: JSONTape
    private let payload: JSONIndex?

    private init(
        _ plan: RecordPlan, _ places: EventPlaces, _ outgoing: OutgoingEvent, _ options: RenderingOptions,
        isTruncated: Bool
    ) {
        self.plan = plan
        self.places = places
        tape = places.tape
        payload = places.event.original
        self.outgoing = outgoing
        self.options = options
        self.isTruncated = isTruncated
    }

    /// The record, shortened where there is a limit.
    static func render(
        _ plan: RecordPlan, _ places: EventPlaces, _ outgoing: OutgoingEvent, _ options: RenderingOptions,
        _ shape: JSONShortener.Shape
    ) throws(RenderingError) -> [UInt8] {
        var record = record(plan, places, outgoing, options, isTruncated: false)
        if let limit = options.limit, record.count > limit {
            record = Self.record(plan, places, outgoing, options, isTruncated: true)
            record = try JSONShortener.shortened(record, to: limit, shape)
        }
        JSONFormat.joinLines(&record)
        return record
    }

    private static func record(
        _ plan: RecordPlan, _ places: EventPlaces, _ outgoing: OutgoingEvent, _ options: RenderingOptions,
        isTruncated: Bool
    ) -> [UInt8] {
        var record = RecordWriter(plan, places, outgoing, options, isTruncated: isTruncated)
        record.writer.beginObject()
        for step in plan.steps
        where step.condition.isEmpty || step.condition.contains(where: { places.first($0) != nil }) {
            record.write(step)
        }
        record.move(to: RecordPlan.root)
        record.writer.endObject()
        return record.writer.bytes
    }

    // MARK: rules

    private mutating func write(_ step: RecordPlan.Step) {
        switch step.value {
        case .text(let field, let others): text(step, field, others)
        case .required(let field, let others): if !text(step, field, others) { string(step, "unknown") }
        case .address(let field): typed(step, field) { TypedText.address($0) }
        case .hardwareAddress(let field): typed(step, field) { TypedText.hardwareAddress($0) }
        case .hyphenatedAddress(let field): typed(step, field) { TypedText.hyphenatedAddress($0) }
        case .email(let field): typed(step, field) { TypedText.isEmail($0) ? $0 : nil }
        case .boolean(let field): if let place = places[field], tape.bool(place) != nil { raw(step, field, place) }
        case .any(let field): if let place = places[field] { raw(step, field, place) }
        case .word(let word): string(step, word)
        case .words(let words): list(step, words)
        case .number(let number): integer(step, Int64(number))
        case .eventID: raw(step, nil, places.id)
        case .typeName: raw(step, nil, places.typeName)
        case .timeMilliseconds: integer(step, places.time?.milliseconds ?? 0)
        case .timeText: if let time = places.time { string(step, time.text) }
        case .receivedMilliseconds:
            if let time = places.timestamp(places[.receivedAt]) { integer(step, time.milliseconds) }
        case .reason: reason(step)
        case .hostname: string(step, options.hostname)
        case .routes: list(step, outgoing.routes)
        case .all(let fields): list(step, texts(fields))
        case .addresses(let fields): typedList(step, fields) { TypedText.address($0) }
        case .hardwareAddresses(let fields): typedList(step, fields) { TypedText.hyphenatedAddress($0) }
        case .rest:
            move(to: step.object)
            rest(of: places.event.data, FieldTree.root)
        case .original: original(step)
        case .truncated: if isTruncated { flag(step, true) }
        }
    }

    /// Whether there was one.
    @discardableResult
    private mutating func text(_ step: RecordPlan.Step, _ field: EventField, _ others: [EventField]) -> Bool {
        let hasOwn = places.first(field) != nil
        guard let candidate = hasOwn ? field : others.first(where: { places.first($0) != nil }),
            let place = places.first(candidate)
        else { return false }
        if tape.kind(place) == .string {
            raw(step, candidate, place)
        } else {
            take(candidate)
            string(step, tape.scalarText(place) ?? "")
        }
        return true
    }

    /// - Parameter form: the text in the form that is wanted, where it is such a thing.
    private mutating func typed(_ step: RecordPlan.Step, _ field: EventField, _ form: (String) -> String?) {
        guard let text = places.text(field).flatMap(form) else { return }
        take(field)
        string(step, text)
    }

    private mutating func typedList(_ step: RecordPlan.Step, _ fields: [EventField], _ form: (String) -> String?) {
        var texts: [String] = []
        for field in fields {
            guard let text = places.text(field).flatMap(form) else { continue }
            take(field)
            if !texts.contains(text) { texts.append(text) }
        }
        list(step, texts)
    }

    private mutating func reason(_ step: RecordPlan.Step) {
        if let field = [EventField.decisionReason, .systemReason].first(where: { places.first($0) != nil }) {
            text(step, field, [])
            return
        }
        let rejection = places.rejection
        guard !rejection.isEmpty else { return }
        begin(step)
        writer.string(utf8: rejection)
    }

    private func texts(_ fields: [EventField]) -> [String] {
        var texts: [String] = []
        for field in fields {
            guard let text = places.text(field), !texts.contains(text) else { continue }
            texts.append(text)
        }
        return texts
    }

    private mutating func original(_ step: RecordPlan.Step) {
        guard !isTruncated else { return }
        // Biometrics have no place in a log of others, whatever the target is given otherwise.
        let policy = ContentPolicy(includesOriginal: options.policy.includesOriginal, includesBiometrics: false)
        guard let original = policy.original(of: places.event) else { return }
        begin(step)
        writer.string(utf8: original)
    }

    // MARK: values

    private mutating func take(_ field: EventField) {
        taken |= 1 << UInt128(field.rawValue)
    }

    private mutating func string(_ step: RecordPlan.Step, _ text: String) {
        begin(step)
        writer.string(text)
    }

    private mutating func integer(_ step: RecordPlan.Step, _ value: Int64) {
        begin(step)
        writer.integer(value)
    }

    private mutating func flag(_ step: RecordPlan.Step, _ value: Bool) {
        begin(step)
        writer.bool(value)
    }

    private mutating func list(_ step: RecordPlan.Step, _ texts: [String]) {
        guard !texts.isEmpty else { return }
        begin(step)
        writer.strings(texts)
    }

    /// The value as the event has it.
    private mutating func raw(_ step: RecordPlan.Step, _ field: EventField?, _ place: JSONIndex?) {
        guard let place else { return }
        if let field { take(field) }
        begin(step)
        writer.raw(tape, place)
    }

    // MARK: objects

    /// Opens what the rule's member stands in, and writes its key.
    private mutating func begin(_ step: RecordPlan.Step) {
        move(to: step.object)
        writer.key(step.key)
    }

    /// Closes and opens objects until this one is the innermost.
    private mutating func move(to object: Int) {
        guard object != open else { return }
        let lineage = plan.objects[object].lineage
        while lineage >> UInt64(open) & 1 == 0 {
            writer.endObject()
            open = plan.objects[open].outer
        }
        enter(object)
    }

    private mutating func enter(_ object: Int) {
        guard object != open else { return }
        enter(plan.objects[object].outer)
        writer.key(plan.objects[object].name)
        writer.beginObject()
        open = object
    }

    // MARK: the rest

    private mutating func rest(of object: JSONIndex, _ names: Range<Int>) {
        var expected = names.lowerBound
        for (key, value) in tape.members(object) where value != payload {
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
