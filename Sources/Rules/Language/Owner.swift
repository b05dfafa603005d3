internal import YAML

/// Whose files are read, and so what names in them mean.
struct Owner: Sendable {
    /// Nil for the main files.
    let team: Team?
    /// The names of all teams.
    let teams: [String]

    static let longestName = 128

    /// With its team: `london/contractors`.
    func qualified(_ name: String) -> String { team.map { "\($0.name)/\(name)" } ?? name }

    /// Whether the node can name something of this owner; reports it when not.
    /// - Parameter what: "a route's name".
    func isName(_ node: YAMLNode, _ what: String, _ diagnostics: inout Diagnostics) -> Bool {
        guard let name = node.name(&diagnostics) else { return false }
        guard name.utf8.count <= Self.longestName, Self.isShownWhole(name) else {
            diagnostics.error(
                at: node.location, "\(what) has at most \(Self.longestName) bytes and no control characters")
            return false
        }
        guard name.utf8.contains(UInt8(ascii: "/")) else { return true }
        if let team {
            diagnostics.error(
                at: node.location,
                "\(what) holds no `/`: that is how others tell it from another team's (\(team.name)/…)")
            return false
        }
        if let team = self.team(in: name) {
            diagnostics.error(
                at: node.location, "\(what) does not begin with `\(team)/`: that is how names of team \(team) begin")
            return false
        }
        return true
    }

    /// The team whose name a name begins with: `london` of `london/contractors`.
    func team(in name: String) -> String? {
        guard let slash = name.firstIndex(of: "/") else { return nil }
        return teams.first { $0 == name[..<slash] }
    }

    private static func isShownWhole(_ name: String) -> Bool {
        if name.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return true }
        return name.unicodeScalars.allSatisfy { displayable(String($0)).unicodeScalars.count == 1 }
    }
}
