internal import Events
package import YAML

/// Hints at keys of `personal` and `additional` that rules name and no event had, where one like it was seen.
package enum KeyHints {
    package static func check(_ routes: [Route], _ seen: SeenKeys, _ diagnostics: inout Diagnostics) {
        var told: Set<SourceLocation> = []
        for route in routes {
            check(route.wholeCondition, seen, &told, &diagnostics)
        }
    }

    /// A named condition is used by many routes, and told of once.
    private static func check(
        _ condition: Condition, _ seen: SeenKeys, _ told: inout Set<SourceLocation>, _ diagnostics: inout Diagnostics
    ) {
        switch condition {
        case .all(let parts), .any(let parts):
            for part in parts { check(part, seen, &told, &diagnostics) }
        case .not(let part): check(part, seen, &told, &diagnostics)
        case .named(let named): check(named.condition, seen, &told, &diagnostics)
        case .leaf(let leaf):
            guard case .entry(let field, let key) = leaf.path,
                let hint = seen.hint(for: String(decoding: key, as: UTF8.self), in: field),
                told.insert(leaf.location).inserted
            else { return }
            diagnostics.warning(at: leaf.location, hint)
        }
    }
}
