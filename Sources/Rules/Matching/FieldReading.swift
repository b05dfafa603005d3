internal import Events
internal import JSON

/// Reads an event's fields for a plan: each path once, its values as the numbers of the rule values they equal.
extension MatchScratch {
    /// What the event has at this path.
    mutating func value(_ number: Int32, _ program: Program, _ event: EventView) -> PathValue {
        let known = paths[Int(number)]
        guard known.generation != generation else { return known }
        let place: JSONIndex? =
            switch program.paths[Int(number)].path {
            case .event: event.tape.member(event.tape.root, "type")
            case .field(let field): event.value(field)
            case .entry(let field, _):
                event.value(field).flatMap { event.tape.member($0, named: program.paths[Int(number)].key) }
            }
        return read(number, at: place, program, event.tape)
    }

    /// As `value`, where the place is known already.
    mutating func read(_ number: Int32, at place: JSONIndex?, _ program: Program, _ tape: JSONTape) -> PathValue {
        let path = program.paths[Int(number)]
        var value = PathValue(generation: generation, first: Int32(found.count))
        if let place {
            value.situation = situation(tape, place)
            switch tape.kind(place) {
            case .array: readElements(tape, place, path, number, program)
            default: readScalar(tape, place, path, number, program)
            }
        }
        value.end = Int32(found.count)
        paths[Int(number)] = value
        return value
    }

    /// Leaves a text's characters in `text`.
    private mutating func situation(_ tape: JSONTape, _ place: JSONIndex) -> Situations {
        switch tape.kind(place) {
        case .null: return .null
        case .array, .object: return tape.count(place) == 0 ? .empty : .other
        case .string:
            text.removeAll(keepingCapacity: true)
            tape.appendText(place, to: &text)
            if text.isEmpty { return .empty }
            return TextFolding.trimmed(text).isEmpty ? .white : .other
        default: return .other
        }
    }

    /// On a list a value equals when some element does.
    private mutating func readElements(
        _ tape: JSONTape, _ list: JSONIndex, _ path: Program.Path, _ number: Int32, _ program: Program
    ) {
        switch path.path.kind {
        case .identifiers, .any:
            for element in tape.elements(list) { readScalar(tape, element, path, number, program) }
        case .reasons:
            for element in tape.elements(list) {
                for part in [tape.member(element, "name"), tape.member(element, "reason")] {
                    if let part { readScalar(tape, part, path, number, program) }
                }
            }
        default:
            break
        }
    }

    /// A value of another type than the field's equals nothing.
    private mutating func readScalar(
        _ tape: JSONTape, _ place: JSONIndex, _ path: Program.Path, _ number: Int32, _ program: Program
    ) {
        let kind = tape.kind(place)
        switch (path.path.kind, kind) {
        case (.text, .string), (.reasons, .string), (.identifier, .string), (.identifiers, .string), (.any, .string),
            (.identifier, .integer), (.identifier, .decimal), (.identifiers, .integer), (.identifiers, .decimal),
            (.boolean, .boolTrue), (.boolean, .boolFalse), (.any, .boolTrue), (.any, .boolFalse):
            lookUpText(tape, place, path, number, program)
        case (.any, .integer), (.any, .decimal):
            lookUpNumber(tape, place, number, program)
            if path.hasExactTexts { lookUpExactText(tape, place, path, number, program) }
        case (.number, .integer), (.number, .decimal):
            lookUpNumber(tape, place, number, program)
        case (.timestamp, .string):
            take(place, of: tape)
            if let time = Timestamp(text: text) {
                let moment = LiteralTable.moment(time.milliseconds)
                note(program.literals.find(.moment, path: number, in: moment, 0..<moment.count))
            }
        default:
            break
        }
    }

    private mutating func lookUpText(
        _ tape: JSONTape, _ place: JSONIndex, _ path: Program.Path, _ number: Int32, _ program: Program
    ) {
        if path.hasTexts {
            take(place, of: tape)
            let trimmed = TextFolding.trimmed(text)
            // Folding makes no text shorter than a third.
            if trimmed.count <= 3 * path.longestText {
                folded.removeAll(keepingCapacity: true)
                TextFolding.fold(text, trimmed, into: &folded)
                note(program.literals.find(.text, path: number, in: folded, 0..<folded.count))
            }
        }
        if path.hasExactTexts { lookUpExactText(tape, place, path, number, program) }
    }

    private mutating func lookUpExactText(
        _ tape: JSONTape, _ place: JSONIndex, _ path: Program.Path, _ number: Int32, _ program: Program
    ) {
        take(place, of: tape)
        guard text.count <= path.longestText else { return }
        note(program.literals.find(.exact, path: number, in: text, 0..<text.count))
    }

    private mutating func lookUpNumber(_ tape: JSONTape, _ place: JSONIndex, _ number: Int32, _ program: Program) {
        guard let canonical = DecimalNumber.canonical(tape.bytes[tape.span(place)]) else { return }
        note(program.literals.find(.number, path: number, in: canonical, 0..<canonical.count))
    }

    private mutating func take(_ place: JSONIndex, of tape: JSONTape) {
        text.removeAll(keepingCapacity: true)
        tape.appendText(place, to: &text)
    }

    private mutating func note(_ literal: Int32?) {
        if let literal { found.append(literal) }
    }
}
