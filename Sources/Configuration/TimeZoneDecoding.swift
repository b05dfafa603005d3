internal import TimeZones
internal import YAML

extension YAMLNode {
    /// The name of a time zone this machine knows, such as `Europe/London`.
    func timeZone(_ diagnostics: inout Diagnostics) -> String? {
        guard let name = name(&diagnostics), let scalar, scalar.isResolved else { return nil }
        guard TimeZoneDatabase.system.zone(name) != nil else {
            diagnostics.error(
                at: location, "no time zone is named `\(scalar.displayText)`; write one such as Europe/London",
                didYouMean: scalar.reference == nil ? nearest(name, among: TimeZoneDatabase.system.names()) : nil)
            return nil
        }
        return name
    }
}
