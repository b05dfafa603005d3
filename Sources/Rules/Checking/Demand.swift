internal import Events

/// A question about one field that must be answered with yes, or with no where it is negated.
struct Demand: Sendable {
    let leaf: Leaf
    let isNegated: Bool

    var phrase: String { leaf.phrase(negated: isNegated) }

    /// What it asks is only whether there is a value, and of what form.
    var isState: Bool {
        if case .state = leaf.test { true } else { false }
    }

    /// The situations in which it may be met.
    var situations: Situations {
        if case .state(let states) = leaf.test {
            let held = states.reduce(into: Situations()) { $0.formUnion($1.situations) }
            return isNegated ? Situations.all.subtracting(held) : held
        }
        return isNegated ? .all : leaf.test.situations
    }
}

extension Leaf.Test {
    /// The situations in which a test of a value may hold.
    fileprivate var situations: Situations {
        let texts: Situations = [.empty, .white, .other]
        switch self {
        case .state: return .all
        case .equals(let literals, let exactly):
            return exactly || literals.contains { TextFolding.key($0.text).isEmpty } ? texts : .other
        case .text(let relation, let patterns):
            switch relation {
            case .like: return texts
            case .domain: return .other
            default: return patterns.contains { $0.folded.isEmpty } ? texts : .other
            }
        case .matches: return texts
        case .number, .moment, .network, .listed, .calendar: return .other
        }
    }
}

/// A condition as alternatives: an event meets it only if it meets every demand of one of them. Beyond a bound demands
/// are left out, so that fewer are known than there are.
struct Alternatives {
    static let most = 32
    static let mostDemands = 1000

    let all: [[Demand]]

    init(_ condition: Condition) {
        var rest = Self.mostDemands
        all = Self.expand(condition, isNegated: false, &rest)
    }

    private static func expand(_ condition: Condition, isNegated: Bool, _ rest: inout Int) -> [[Demand]] {
        switch condition {
        case .leaf(let leaf):
            rest -= 1
            return [[Demand(leaf: leaf, isNegated: isNegated)]]
        case .not(let part): return expand(part, isNegated: !isNegated, &rest)
        case .named(let named): return expand(named.condition, isNegated: isNegated, &rest)
        case .all(let parts): return isNegated ? either(parts, isNegated, &rest) : each(parts, isNegated, &rest)
        case .any(let parts): return isNegated ? each(parts, isNegated, &rest) : either(parts, isNegated, &rest)
        }
    }

    private static func each(_ parts: [Condition], _ isNegated: Bool, _ rest: inout Int) -> [[Demand]] {
        var result: [[Demand]] = [[]]
        for part in parts where rest > 0 {
            let next = expand(part, isNegated: isNegated, &rest)
            guard next.count != 1 else {
                for index in result.indices { result[index] += next[0] }
                continue
            }
            guard result.count * next.count <= most else { continue }
            result = result.flatMap { one in next.map { one + $0 } }
        }
        return result
    }

    private static func either(_ parts: [Condition], _ isNegated: Bool, _ rest: inout Int) -> [[Demand]] {
        var result: [[Demand]] = []
        for part in parts {
            // Of what is left out nothing is demanded.
            guard rest > 0 else { return [[]] }
            result += expand(part, isNegated: isNegated, &rest)
            guard result.count <= most else { return [[]] }
        }
        return result
    }
}
