package import YAML

/// A rule set whose plan would take more memory than it may.
package struct PlanTooLarge: Error, CustomStringConvertible {
    /// The route at which it became too large.
    package let route: String
    package let location: SourceLocation
    /// In bytes.
    package let limit: Int

    init(_ route: Route, _ limit: Int) {
        self.route = route.name
        location = route.location
        self.limit = limit
    }

    package var description: String {
        "with the route `\(displayable(route))` the plan of the routes takes more than \(limit) bytes; "
            + "use shorter or fewer patterns, or lists instead of many routes"
    }
}
