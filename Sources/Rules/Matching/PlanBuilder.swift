internal import Events

/// Compiles routes: values, predicates and paths are numbered, each once, and every route gets its access key.
struct PlanBuilder {
    /// What a leaf asks, apart from how it is written.
    enum LeafKey: Hashable, Sendable {
        case equals(FieldPath, [LiteralKey])
        case situation(FieldPath, Situations)
    }

    private(set) var paths: [Program.Path] = []
    private(set) var literals = LiteralTable()
    private(set) var predicates: [Program.Predicate] = []
    private(set) var nodes: [Program.Node] = []
    private(set) var children: [Int32] = []
    private(set) var routes: [Program.CompiledRoute] = []
    private(set) var targets: [String] = []
    private(set) var routesOfLiteral: [Int32: [Int32]] = [:]
    private(set) var residual: [Int32] = []
    private(set) var predicateOfLeaf: [LeafKey: Int32] = [:]

    private var pathNumbers: [FieldPath: Int32] = [:]
    private var predicateNumbers: [Program.Predicate: Int32] = [:]
    private var predicateNodes: [Int32: Int32] = [:]
    private var targetNumbers: [String: Int32] = [:]

    init(_ sources: [Route]) {
        // Every value is known before access keys are chosen: how many a path has tells how well it selects.
        for route in sources { number(route.condition) }
        let selectivity = Selectivity(paths: paths, literals: literals)
        for (index, route) in sources.enumerated() {
            let root = compile(route.condition, selectivity)
            let targets = route.targets.map { targetNumber($0) }.sorted()
            routes.append(Program.CompiledRoute(root: root, targets: targets))
            if let access = selectivity.access(route.condition, self) {
                for literal in Set(access.literals) { routesOfLiteral[literal, default: []].append(Int32(index)) }
            } else {
                residual.append(Int32(index))
            }
        }
    }

    /// The numbers of a leaf's values; ascending, each once.
    func literalNumbers(_ predicate: Int32) -> [Int32] {
        switch predicates[Int(predicate)] {
        case .equals(_, let literal): [literal]
        case .equalsAny(_, let literals): literals
        case .situation: []
        }
    }

    func predicate(of leaf: Leaf) -> Int32? { predicateOfLeaf[leaf.key] }

    private mutating func targetNumber(_ name: String) -> Int32 {
        if let known = targetNumbers[name] { return known }
        let number = Int32(targets.count)
        targets.append(name)
        targetNumbers[name] = number
        return number
    }

    // MARK: Numbering

    private mutating func number(_ condition: Condition) {
        switch condition {
        case .all(let parts), .any(let parts): for part in parts { number(part) }
        case .not(let part): number(part)
        case .leaf(let leaf): number(leaf)
        }
    }

    private mutating func number(_ leaf: Leaf) {
        guard predicateOfLeaf[leaf.key] == nil else { return }
        let path = pathNumber(leaf.path)
        let predicate: Program.Predicate
        switch leaf.key {
        case .situation(_, let situations):
            predicate = .situation(path: path, situations)
        case .equals(_, let keys):
            let numbers = Set(keys.map { literalNumber($0, path) }).sorted()
            predicate =
                numbers.count == 1
                ? .equals(path: path, literal: numbers[0]) : .equalsAny(path: path, literals: numbers)
        }
        let known = predicateNumbers[predicate]
        let number = known ?? Int32(predicates.count)
        if known == nil {
            predicates.append(predicate)
            predicateNumbers[predicate] = number
        }
        predicateOfLeaf[leaf.key] = number
    }

    private mutating func pathNumber(_ path: FieldPath) -> Int32 {
        if let known = pathNumbers[path] { return known }
        let number = Int32(paths.count)
        var key = ""
        if case .entry(_, let bytes) = path { key = String(decoding: bytes, as: UTF8.self) }
        paths.append(Program.Path(path: path, key: key))
        pathNumbers[path] = number
        return number
    }

    private mutating func literalNumber(_ key: LiteralKey, _ path: Int32) -> Int32 {
        switch key {
        case .text(let text):
            paths[Int(path)].hasTexts = true
            paths[Int(path)].longestText = max(paths[Int(path)].longestText, text.count)
        case .exact(let text):
            paths[Int(path)].hasExactTexts = true
            paths[Int(path)].longestText = max(paths[Int(path)].longestText, text.count)
        case .number, .moment:
            break
        }
        return literals.insert(key, path: path)
    }

    // MARK: Compiling

    private mutating func compile(_ condition: Condition, _ selectivity: Selectivity) -> Int32 {
        switch condition {
        case .leaf(let leaf):
            guard let predicate = predicateOfLeaf[leaf.key] else { preconditionFailure("a leaf was not numbered") }
            if let known = predicateNodes[predicate] { return known }
            let node = append(.predicate(predicate))
            predicateNodes[predicate] = node
            return node
        case .not(let part):
            return append(.not(compile(part, selectivity)))
        case .all(let parts):
            // The least likely first: most candidates fail, and should fail soon.
            let ordered = Self.flattened(parts).map { (part: $0, likelihood: selectivity.likelihood($0, self)) }
                .enumerated()
                .sorted { ($0.element.likelihood, $0.offset) < ($1.element.likelihood, $1.offset) }
            let compiled = ordered.map { compile($0.element.part, selectivity) }
            return compiled.count == 1 ? compiled[0] : append(range(compiled) { .all(first: $0, end: $1) })
        case .any(let parts):
            let compiled = parts.map { compile($0, selectivity) }
            return compiled.count == 1 ? compiled[0] : append(range(compiled) { .any(first: $0, end: $1) })
        }
    }

    private static func flattened(_ parts: [Condition]) -> [Condition] {
        parts.flatMap { part in
            if case .all(let inner) = part { flattened(inner) } else { [part] }
        }
    }

    private mutating func append(_ node: Program.Node) -> Int32 {
        nodes.append(node)
        return Int32(nodes.count - 1)
    }

    private mutating func range(
        _ compiled: [Int32], _ node: (_ first: Int32, _ end: Int32) -> Program.Node
    ) -> Program.Node {
        let first = Int32(children.count)
        children += compiled
        return node(first, Int32(children.count))
    }
}

extension Leaf {
    var key: PlanBuilder.LeafKey {
        switch test {
        case .equals(let literals, _):
            .equals(path, literals.flatMap(\.keys))
        case .state(let states):
            .situation(path, states.reduce(into: Situations()) { $0.formUnion($1.situations) })
        }
    }
}
