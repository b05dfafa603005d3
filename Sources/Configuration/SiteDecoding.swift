internal import Ingest
internal import YAML

extension Site {
    static func decode(_ node: YAMLNode?, sources: [String], _ diagnostics: inout Diagnostics) -> [Site] {
        var sites: [Site] = []
        for entry in node?.mapping("sites", &diagnostics) ?? [] {
            guard Names.check(entry, "a site's key", &diagnostics),
                var reader = MappingReader(entry.value, "site \(entry.name)", &diagnostics)
            else { continue }
            var site = Site(key: entry.name)
            site.name = reader.optional("name")?.name(&diagnostics)
            site.timezone = reader.optional("timezone")?.timeZone(&diagnostics)
            for id in reader.optional("ids")?.mapping("ids", &diagnostics) ?? [] {
                guard sources.contains(id.name) else {
                    diagnostics.error(
                        at: id.key.location, "no source is named `\(displayable(id.name))`",
                        didYouMean: nearest(id.name, among: sources))
                    continue
                }
                site.ids[id.name] = id.value.strings(&diagnostics)
            }
            reader.finish(&diagnostics)
            sites.append(site)
        }
        reportSharedIDs(sites, node, &diagnostics)
        return sites
    }

    /// One id of a source can mean one place only.
    private static func reportSharedIDs(_ sites: [Site], _ node: YAMLNode?, _ diagnostics: inout Diagnostics) {
        var owners: [[String]: String] = [:]
        for site in sites {
            for (source, ids) in site.ids {
                for id in ids {
                    if let other = owners.updateValue(site.key, forKey: [source, id]), let node {
                        let place = node[site.key]?.location ?? node.location
                        diagnostics.error(
                            at: place, "id \(displayable(id)) of \(source) belongs to site \(other) already")
                    }
                }
            }
        }
    }

    /// For every id of `sites:`, the sources that use it.
    static func sourcesOfID(_ sites: [Site]) -> [String: [String]] {
        var sources: [String: [String]] = [:]
        for site in sites {
            for (source, ids) in site.ids {
                for id in ids { sources[id, default: []].append(source) }
            }
        }
        return sources.mapValues { $0.sorted() }
    }
}
