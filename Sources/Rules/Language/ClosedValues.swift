internal import Events

/// The values a field can have, where there are no others.
struct ClosedValues: Sendable {
    let values: [String]
    /// Of what the values are, in the words of a message.
    let what: String
    /// The values by their folded form.
    private let folded: [[UInt8]: [String]]

    private init(_ values: [String], _ what: String) {
        self.values = values
        self.what = what
        folded = Dictionary(grouping: values, by: TextFolding.key)
    }

    /// The values equal to a text.
    func equal(to text: String, exactly: Bool) -> [String] {
        let equal = folded[TextFolding.key(text)] ?? []
        return exactly ? equal.filter { $0 == text } : equal
    }

    /// The values that begin with a text.
    func beginning(with text: String) -> [String] {
        let wanted = TextFolding.key(text)
        return values.filter { TextFolding.key($0).starts(with: wanted) }
    }

    /// The fields that have such values.
    /// - Parameter environment: nil: only the event's types are known.
    static func table(_ environment: RuleEnvironment?) -> [FieldPath: ClosedValues] {
        var table: [FieldPath: ClosedValues] = [.event: events]
        guard let environment else { return table }
        table[.field(.vendor)] = ClosedValues(environment.vendors, "vendor")
        table[.field(.source)] = ClosedValues(environment.sources, "source")
        table[.field(.siteKey)] = ClosedValues(environment.siteKeys, "site key")
        return table
    }

    private static let events = ClosedValues(CanonicalType.allCases.map(\.rawValue), "event")

    /// `visitor.`, `invitation.`, … for the form `visitor.*` of event types.
    static let eventPrefixes: [String] = {
        var prefixes: [String] = []
        for type in CanonicalType.allCases {
            guard let dot = type.rawValue.firstIndex(of: ".") else { continue }
            let prefix = String(type.rawValue[...dot])
            if !prefixes.contains(prefix) { prefixes.append(prefix) }
        }
        return prefixes
    }()
}
