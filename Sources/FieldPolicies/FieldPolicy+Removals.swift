package import Events

/// What is never left, whatever an event holds.
extension FieldPolicy {
    package func removes(_ field: EventField) -> Bool { rule(field)?.removesAll ?? false }

    /// - Parameter key: of one entry of `personal` or `additional`, as it stands.
    package func removes(_ map: EventField, entry key: String) -> Bool {
        if case .remove? = rule(map)?.change(ofEntry: key) { true } else { false }
    }

    /// - Parameter path: of several fields, such as `visitor` or `host.group`.
    package func removes(group path: String) -> Bool {
        let fields = EventField.allCases.filter { $0.path.hasPrefix(path + ".") }
        return !fields.isEmpty && fields.allSatisfy(removes)
    }
}
