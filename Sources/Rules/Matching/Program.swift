internal import Events

/// A rule set in the form in which it is matched; immutable.
final class Program: Sendable {
    /// A place in an event that some rule looks at.
    struct Path: Sendable {
        let path: FieldPath
        /// The key of an entry of `personal` or `additional`; empty for others.
        let key: String
        /// The longest value any rule compares it with, in bytes.
        var longestText = 0
        var hasTexts = false
        var hasExactTexts = false
    }

    /// A question with one answer for an event, asked once however many routes ask it.
    enum Predicate: Hashable, Sendable {
        case equals(path: Int32, literal: Int32)
        /// Ascending.
        case equalsAny(path: Int32, literals: [Int32])
        case situation(path: Int32, Situations)
    }

    enum Node: Sendable {
        case predicate(Int32)
        case all(first: Int32, end: Int32)
        case any(first: Int32, end: Int32)
        case not(Int32)
    }

    /// The entries of `personal` or `additional` that are access keys, by the bytes of their key.
    struct EntryAccess: Sendable {
        let field: EventField
        let paths: [[UInt8]: Int32]
    }

    struct CompiledRoute: Sendable {
        let root: Int32
        /// Ascending places in `targets`.
        let targets: [Int32]
    }

    let paths: [Path]
    let literals: LiteralTable
    let predicates: [Predicate]
    let nodes: [Node]
    /// Places in `nodes`, which `all` and `any` refer to by range.
    let children: [Int32]
    let routes: [CompiledRoute]
    let targets: [String]
    /// Paths that lead to routes, entries excepted.
    let accessPaths: [Int32]
    let entryAccess: [EntryAccess]
    /// Where in `postings` the routes of a literal begin; one more than there are literals.
    let postingStarts: [Int32]
    let postings: [Int32]
    /// Routes without any equality to be found by.
    let residual: [Int32]
    /// The predicate of each leaf, for telling why a route took an event.
    let predicateOfLeaf: [PlanBuilder.LeafKey: Int32]

    init(_ builder: PlanBuilder) {
        paths = builder.paths
        literals = builder.literals
        predicates = builder.predicates
        nodes = builder.nodes
        children = builder.children
        routes = builder.routes
        targets = builder.targets
        residual = builder.residual
        predicateOfLeaf = builder.predicateOfLeaf

        var starts: [Int32] = [0]
        var postings: [Int32] = []
        var accessPaths: Set<Int32> = []
        for literal in 0..<Int32(builder.literals.count) {
            if let routes = builder.routesOfLiteral[literal] {
                postings += routes
                accessPaths.insert(builder.literals.path(of: literal))
            }
            starts.append(Int32(postings.count))
        }
        postingStarts = starts
        self.postings = postings

        var plain: [Int32] = []
        var entries: [EventField: [[UInt8]: Int32]] = [:]
        for path in accessPaths.sorted() {
            if case .entry(let field, let key) = builder.paths[Int(path)].path {
                entries[field, default: [:]][key] = path
            } else {
                plain.append(path)
            }
        }
        self.accessPaths = plain
        entryAccess = entries.sorted { $0.key.rawValue < $1.key.rawValue }.map {
            EntryAccess(field: $0.key, paths: $0.value)
        }
    }
}
