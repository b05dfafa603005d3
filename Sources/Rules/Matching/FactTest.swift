internal import Addresses
internal import Events

extension FieldKind {
    /// Whether such a value is compared as text here.
    func isTextual(_ form: MatchState.Element.Form) -> Bool {
        switch self {
        case .text, .reasons: form == .text
        case .identifier, .identifiers: form != .boolean
        case .any, .map: true
        case .boolean, .number, .timestamp: false
        }
    }

    var isNumeric: Bool { self == .number || self == .any || self == .map }

    func isTemporal(_ form: MatchState.Element.Form) -> Bool {
        form == .text && (self == .timestamp || self == .any || self == .map)
    }
}

/// Tests single facts that no index finds, and reads values for both.
extension MatchState {
    enum NumberReading {
        case none, undecidable
        case number(OrderedNumber)
    }

    mutating func holdsByItself(_ fact: Fact, _ program: Program, _ event: EventView) -> Bool {
        read(fact.path, program, event)
        let kind = program.paths[fact.path].kind
        for element in Int(paths[Int(fact.path)].first)..<Int(paths[Int(fact.path)].end) {
            work += 1
            switch fact.kind {
            case .contains:
                guard kind.isTextual(elements[element].form) else { continue }
                let range = fold(element)
                let pattern = Array(program.facts.bytes[program.facts.range(fact)])
                if ByteSearch.find(pattern, in: folded, range, steps: &work) != nil { return true }
            case .glob:
                guard kind.isTextual(elements[element].form) else { continue }
                let range = fold(element)
                if program.values.globs[Int(fact.start)].fits(folded, range, steps: &work) { return true }
            case .expression:
                guard kind.isTextual(elements[element].form) else { continue }
                let range = Int(elements[element].start)..<Int(elements[element].end)
                work += range.count
                if program.values.expressions[Int(fact.start)].matches(Array(raw[range])) { return true }
            case .list:
                guard kind.isTextual(elements[element].form) else { continue }
                let range = fold(element)
                work += range.count
                if program.values.lists[Int(fact.start)].contains(folded, range) { return true }
            case .numberRange:
                guard kind.isNumeric, case .number(let number) = number(element) else { continue }
                if program.values.numberRanges[Int(fact.start)].contains(number) { return true }
            case .momentRange:
                guard kind.isTemporal(elements[element].form), let moment = moment(element) else { continue }
                if contains(program.values.momentRanges[Int(fact.start)], moment, event) { return true }
            default:
                return false
            }
        }
        return false
    }

    private mutating func contains(_ range: MomentRange, _ moment: Int64, _ event: EventView) -> Bool {
        range.contains(moment, now: time(event))
    }

    // MARK: Values

    /// Of a number, or of a text that is one.
    func number(_ element: Int) -> NumberReading {
        let here = elements[element]
        var range = Int(here.start)..<Int(here.end)
        if here.form == .boolean { return .none }
        if here.form == .text {
            range = trimmed(range.lowerBound, range.upperBound)
            let first = range.isEmpty ? 0 : raw[range.lowerBound]
            guard first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else { return .none }
        }
        guard let digits = DecimalDigits(raw[range]) else { return .none }
        return OrderedNumber(digits).map { .number($0) } ?? .undecidable
    }

    func moment(_ element: Int) -> Int64? {
        let range = Int(elements[element].start)..<Int(elements[element].end)
        guard range.count <= 40 else { return nil }
        return Timestamp(text: raw[range])?.milliseconds
    }

    func address(_ element: Int) -> IPAddress? {
        let range = Int(elements[element].start)..<Int(elements[element].end)
        let inner = trimmed(range.lowerBound, range.upperBound)
        guard inner.count <= 45 else { return nil }
        return IPAddress(String(decoding: raw[inner], as: UTF8.self))?.unmapped
    }

    /// The event's own time in milliseconds since 1970.
    mutating func time(_ event: EventView) -> Int64? {
        if now.generation != generation { now = (event.time?.milliseconds, generation) }
        return now.value
    }
}
