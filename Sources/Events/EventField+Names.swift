/// Names that people write, besides the fields' own paths.
extension EventField {
    /// What several fields stand in, such as `visitor` and `host.group`, in the order of the table.
    package static let groupPaths: [String] = {
        var names: [String] = []
        for field in allCases {
            let components = field.components.map(\.description)
            for length in 1..<max(components.count, 1) {
                let name = components.prefix(length).joined(separator: ".")
                if !names.contains(name) { names.append(name) }
            }
        }
        return names
    }()

    /// `personal.Car Reg`: one entry of a map. Everything behind the map's name and a dot is the key, as it stands.
    /// - Returns: nil for any other name, and where the key is empty.
    package static func mapEntry(_ name: String) -> (map: EventField, key: String)? {
        guard let dot = name.firstIndex(of: "."), let map = EventField(path: String(name[..<dot])), map.kind == .map
        else { return nil }
        let key = name[name.index(after: dot)...]
        return key.isEmpty ? nil : (map, String(key))
    }
}
