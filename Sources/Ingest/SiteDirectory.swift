package import Events
package import JSON

/// One place that several senders know under ids of their own (`sites:`).
package struct Site: Sendable {
    package var key: String
    package var name: String?
    package var timezone: String?
    /// The id each source gives the place, by the source's name.
    package var ids: [String: [String]]

    package init(key: String, name: String? = nil, timezone: String? = nil, ids: [String: [String]] = [:]) {
        self.key = key
        self.name = name
        self.timezone = timezone
        self.ids = ids
    }
}

/// Finds a site by a source's own id, and fills what the sender left out.
package struct SiteDirectory: Sendable {
    private var sitesBySource: [String: [[UInt8]: Site]] = [:]

    package init(_ sites: [Site] = []) {
        for site in sites {
            for (source, ids) in site.ids {
                for id in ids { sitesBySource[source, default: [:]][Array(id.utf8)] = site }
            }
        }
    }

    /// Sets `site.key`, and `site.name` and `site.timezone` where the sender gave none.
    /// - Parameter timezone: of the source, where the site has none either.
    package func complete(_ draft: inout EventDraft, source: String, timezone: String?, tape: JSONTape) {
        var zone = timezone
        if let sites = sitesBySource[source], let id = draft.text(.siteID, in: tape), let site = sites[id] {
            draft.set(.siteKey, text: site.key)
            if let name = site.name, draft.text(.siteName, in: tape) == nil { draft.set(.siteName, text: name) }
            zone = site.timezone ?? timezone
        }
        if let zone, draft.text(.siteTimezone, in: tape) == nil { draft.set(.siteTimezone, text: zone) }
    }
}
