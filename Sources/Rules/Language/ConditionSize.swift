/// How much a condition asks when the named ones in it are written out. Both are bounded, so that conditions made of
/// conditions cannot grow beyond what an event can be asked.
struct ConditionSize: Hashable, Sendable {
    /// Questions about fields.
    var tests: Int
    /// Blocks within blocks.
    var depth: Int

    static let mostTests = 10_000
    static let mostDepth = 64

    init(_ condition: Condition) {
        switch condition {
        case .leaf:
            self.init(tests: 1, depth: 1)
        case .named(let named):
            self = named.size
        case .not(let part):
            self.init(part)
            depth += 1
        case .all(let parts), .any(let parts):
            self.init(tests: 0, depth: 0)
            for part in parts {
                let size = ConditionSize(part)
                tests = min(tests + size.tests, Self.mostTests + 1)
                depth = max(depth, size.depth)
            }
            depth += 1
        }
    }

    private init(tests: Int, depth: Int) {
        self.tests = tests
        self.depth = depth
    }

    /// Why it is too large, in words; nil when it is not.
    var excess: String? {
        if tests > Self.mostTests {
            return "asks more than \(Self.mostTests) questions; split it into several routes"
        }
        return depth > Self.mostDepth ? "is nested deeper than \(Self.mostDepth) levels" : nil
    }
}
