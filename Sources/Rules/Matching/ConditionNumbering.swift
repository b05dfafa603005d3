/// Turns conditions into steps, with negations moved inwards to the facts and blocks within blocks of the same kind laid
/// flat. The parts are in the order written.
struct ConditionNumbering {
    private(set) var facts: FactNumbering
    /// The steps of each condition with a name that is too long to be written out wherever it is used.
    private(set) var named: [[Int32]] = []
    private var places: [String: Place] = [:]

    private enum Place {
        case writtenOut
        case named(Int32)
    }

    /// A condition with a name of no more steps than this is written out.
    private static let longestWrittenOut = 12

    init(_ zones: EventZones) { facts = FactNumbering(zones) }

    /// Appends the condition's steps.
    mutating func encode(_ condition: Condition, into code: inout [Int32]) {
        encode(condition, negated: false, inside: nil, into: &code)
    }

    /// - Parameter inside: the block whose part this is.
    private mutating func encode(
        _ condition: Condition, negated: Bool, inside: Step.Operation?, into code: inout [Int32]
    ) {
        switch condition {
        case .leaf(let leaf): facts.append(leaf, negated: negated, to: &code)
        case .not(let part): encode(part, negated: !negated, inside: inside, into: &code)
        case .all(let parts): block(parts, negated ? .any : .all, negated, inside, into: &code)
        case .any(let parts): block(parts, negated ? .all : .any, negated, inside, into: &code)
        case .named(let named):
            switch place(named) {
            case .writtenOut: encode(named.condition, negated: negated, inside: inside, into: &code)
            case .named(let number): code.append(Step(negated ? .notNamed : .named, number).raw)
            }
        }
    }

    private mutating func block(
        _ parts: [Condition], _ operation: Step.Operation, _ negated: Bool, _ inside: Step.Operation?,
        into code: inout [Int32]
    ) {
        if operation == inside || parts.count == 1 {
            for part in parts { encode(part, negated: negated, inside: inside, into: &code) }
            return
        }
        let start = code.count
        code.append(0)
        for part in parts { encode(part, negated: negated, inside: operation, into: &code) }
        code[start] = Step(operation, Int32(code.count - start - 1)).raw
    }

    private mutating func place(_ named: NamedCondition) -> Place {
        let key = "\(named.name) \(named.location)"
        if let known = places[key] { return known }
        var code: [Int32] = []
        encode(named.condition, into: &code)
        var place = Place.writtenOut
        if code.count > Self.longestWrittenOut {
            self.named.append(code)
            place = .named(Int32(self.named.count - 1))
        }
        places[key] = place
        return place
    }
}
