internal import Events
internal import YAML

/// The types of event that a target is there for.
package struct EventTypeSelection: Sendable, Hashable {
    /// Canonical types.
    private var types: Set<String>

    package func takes(_ type: String) -> Bool { types.contains(type) }

    /// `visitor.*`, `session.denied`, or a list of such; nil, and an error, where one means nothing.
    init?(_ node: YAMLNode, _ diagnostics: inout Diagnostics) {
        types = []
        guard node.elements?.isEmpty != true else {
            diagnostics.error(
                at: node.location, "nothing stands here, so every event would be filtered; leave it out for all")
            return nil
        }
        var isGood = true
        for element in node.list(&diagnostics) {
            guard let text = element.name(&diagnostics), let scalar = element.scalar, scalar.isResolved else {
                isGood = false
                continue
            }
            let found = Self.types(text)
            types.formUnion(found)
            guard found.isEmpty else { continue }
            isGood = false
            diagnostics.error(
                at: element.location, "there is no type of event `\(scalar.displayText)`",
                didYouMean: scalar.reference == nil ? nearest(text, among: Self.names) : nil)
        }
        if !isGood { return nil }
    }

    private static func types(_ text: String) -> [String] {
        let all = CanonicalType.allCases.map(\.rawValue)
        guard text.hasSuffix(".*") else { return all.filter { $0 == text } }
        return all.filter { $0.hasPrefix(text.dropLast()) }
    }

    /// Types, and the beginnings that several of them share.
    private static let names: [String] = {
        let all = CanonicalType.allCases.map(\.rawValue)
        let kinds = Set(all.compactMap { $0.split(separator: ".").first }.map { "\($0).*" })
        return all + kinds.sorted()
    }()
}
