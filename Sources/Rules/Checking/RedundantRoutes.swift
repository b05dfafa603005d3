internal import Events

/// Finds routes that add nothing: another route of the same team takes every event they take, to the same targets.
///
/// Every pair would be too many. A route is kept under the rarest thing it asks for by itself, and is only compared with
/// routes that ask for that too: what another route must ask for to be contained in it.
struct RedundantRoutes {
    /// A route and the one that makes it superfluous, by their places.
    struct Finding {
        var route: Int
        var container: Int
        /// Both take the same events.
        var areEqual: Bool
    }

    static let mostSteps = 2_000_000

    private(set) var findings: [Finding] = []
    /// Whether the work allowed was not enough.
    private(set) var isCut = false

    private struct Entry {
        let place: Int
        let alternatives: [[Demand]]
        let condition: Condition
        let undecidable: Set<Undecidable>
        let targets: Set<String>
    }

    /// What a route asks for by itself.
    private enum Access: Hashable {
        case equal(FieldPath, LiteralKey)
        case notEqual(FieldPath, LiteralKey)
        /// Not some value: also what is another value.
        case differs(FieldPath)
        case asked(FieldPath)
        case nothing
    }

    private struct Bucket: Hashable {
        let team: String?
        let access: Access
    }

    private var entries: [Entry] = []
    private var buckets: [Bucket: [Int]] = [:]
    private var steps: Int
    private let routes: [Route]

    /// - Parameter steps: questions about fields asked at most.
    init(_ routes: [Route], steps: Int = RedundantRoutes.mostSteps) {
        self.routes = routes
        self.steps = steps
        for (place, route) in routes.enumerated() where route.isEnabled && !route.takesUnmatched {
            let condition = route.wholeCondition
            let alternatives = Alternatives(condition).all.filter { Contradiction.find(in: $0) == nil }
            guard !alternatives.isEmpty else { continue }
            entries.append(
                Entry(
                    place: place, alternatives: alternatives, condition: condition,
                    undecidable: Undecidable.of(condition), targets: Set(route.targets)))
        }
        fillBuckets()
        findRedundant()
    }

    // MARK: Buckets

    private mutating func fillBuckets() {
        var uses: [Access: Int] = [:]
        for entry in entries {
            for access in Self.offers(entry).flatMap(\.self) { uses[access, default: 0] += 1 }
        }
        for (index, entry) in entries.enumerated() {
            // One of these must be asked for by whatever is contained: of several, the least asked for.
            let rarest = Self.offers(entry).min { one, other in
                Self.crowd(one, uses) < Self.crowd(other, uses)
            }
            for access in rarest ?? [.nothing] {
                buckets[Bucket(team: routes[entry.place].team, access: access), default: []].append(index)
            }
        }
    }

    private static func crowd(_ accesses: [Access], _ uses: [Access: Int]) -> Int {
        accesses.reduce(0) { $0 + (uses[$1] ?? 0) }
    }

    /// For each demand of a route without alternatives what a route contained in it asks for: one of the list.
    private static func offers(_ entry: Entry) -> [[Access]] {
        guard entry.alternatives.count == 1 else { return [] }
        return entry.alternatives[0].map { demand in
            let path = demand.leaf.path
            guard case .equals(let literals, _) = demand.leaf.test else { return [.asked(path)] }
            let keys = literals.flatMap(\.keys)
            guard demand.isNegated else { return keys.map { .equal(path, $0) } }
            // To be none of several, a route must be none of the first, or be something else altogether.
            return keys.first.map { [.notEqual(path, $0), .differs(path)] } ?? [.asked(path)]
        }
    }

    /// Where the routes are that may contain one with these demands.
    private static func places(_ demands: [Demand]) -> Set<Access> {
        var places: Set<Access> = [.nothing]
        for demand in demands {
            let path = demand.leaf.path
            places.insert(.asked(path))
            if demand.isState || (!demand.isNegated && !path.holdsLists) { places.insert(.differs(path)) }
            guard case .equals(let literals, _) = demand.leaf.test else { continue }
            for key in literals.flatMap(\.keys) {
                places.insert(demand.isNegated ? .notEqual(path, key) : .equal(path, key))
            }
        }
        return places
    }

    // MARK: Comparing

    private mutating func findRedundant() {
        for (index, entry) in entries.enumerated() {
            let route = routes[entry.place]
            let implications = entry.alternatives.map { Implication($0) }
            var tried: Set<Int> = [index]
            search: for access in Self.places(entry.alternatives[0]) {
                for other in buckets[Bucket(team: route.team, access: access)] ?? [] {
                    guard steps > 0 else {
                        isCut = true
                        return
                    }
                    guard tried.insert(other).inserted else { continue }
                    steps -= 1
                    guard contains(entries[other], entry, implications) else { continue }
                    let areEqual = contains(entry, entries[other], entries[other].alternatives.map { Implication($0) })
                    // Of two that are equal the later one is told of.
                    if areEqual, entries[other].targets == entry.targets, other > index { continue }
                    findings.append(
                        Finding(route: entry.place, container: entries[other].place, areEqual: areEqual))
                    break search
                }
            }
        }
    }

    private mutating func contains(_ outer: Entry, _ inner: Entry, _ implications: [Implication]) -> Bool {
        guard inner.targets.isSubset(of: outer.targets), outer.undecidable.isSubset(of: inner.undecidable) else {
            return false
        }
        // Events of our own are taken only by routes that ask for them.
        guard outer.condition.demandsSystemEvent || !inner.condition.demandsSystemEvent else { return false }
        for implication in implications where !implication.proves(outer.condition, &steps) { return false }
        return true
    }
}
