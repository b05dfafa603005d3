/// Facts of the Elastic Common Schema, by which the `ecs` format is checked. Field names, types and which of them are lists:
/// elastic/ecs, generated/csv/fields.csv as of commit 7b665790c7c477dc8452ff16024dda76c706cc9c (8.12.0-dev, which followed
/// 8.11.0 and differs from it in none of these). Values of the four fields of categorisation, and the types expected in
/// each category: elastic/ecs, docs/fields/field-values.asciidoc as of commit b7aa72f8ed10578b7300ca4293dd04573a03e2f3.
enum ECSReference {
    enum Kind: String {
        case keyword, text, date, ip, long, float, object
        case geoPoint = "geo_point"
    }

    struct Field {
        var kind: Kind
        var isList: Bool
    }

    /// `signal` is allowed, but reserved for Elastic's own.
    static let kinds: Set = ["alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error"]
    static let outcomes: Set = ["failure", "success", "unknown"]
    static let types: Set = [
        "access", "admin", "allowed", "change", "connection", "creation", "deletion", "denied", "end", "error", "group",
        "indicator", "info", "installation", "protocol", "start", "user",
    ]
    /// Every category, and the types expected in it.
    static let categories: [String: Set<String>] = [
        "api": [
            "access", "admin", "allowed", "change", "creation", "deletion", "denied", "end", "info", "start", "user",
        ],
        "authentication": ["start", "end", "info"],
        "configuration": ["access", "change", "creation", "deletion", "info"],
        "database": ["access", "change", "info", "error"],
        "driver": ["change", "end", "info", "start"],
        "email": ["info"],
        "file": ["access", "change", "creation", "deletion", "info"],
        "host": ["access", "change", "end", "info", "start"],
        "iam": ["admin", "change", "creation", "deletion", "group", "info", "user"],
        "intrusion_detection": ["allowed", "denied", "info"],
        "library": ["start"],
        "malware": ["info"],
        "network": ["access", "allowed", "connection", "denied", "end", "info", "protocol", "start"],
        "package": ["access", "change", "deletion", "info", "installation", "start"],
        "process": ["access", "change", "end", "info", "start"],
        "registry": ["access", "change", "creation", "deletion"],
        "session": ["start", "end", "info"],
        "threat": ["indicator"],
        "vulnerability": ["info"],
        "web": ["access", "error", "info"],
    ]

    /// Of the field sets that stand in records: all their fields but nested sets that no record has (`as`, `os`, `user` of a
    /// source, `vlan` and interfaces, `risk`, `changes` and `effective` of a user).
    static let fields: [String: Field] = {
        var fields: [String: Field] = [:]
        for line in (table + users("user") + users("user.target")).split(separator: "\n") {
            let words = line.split(separator: " ")
            fields[String(words[0])] = Kind(rawValue: String(words[1])).map {
                Field(kind: $0, isList: words.count > 2)
            }
        }
        return fields
    }()

    private static func users(_ name: String) -> String {
        """
        \(name).domain keyword
        \(name).email keyword
        \(name).full_name keyword
        \(name).group.domain keyword
        \(name).group.id keyword
        \(name).group.name keyword
        \(name).hash keyword
        \(name).id keyword
        \(name).name keyword
        \(name).roles keyword list

        """
    }

    private static let table = """
        @timestamp date
        labels object
        message text
        tags keyword list
        ecs.version keyword
        agent.build.original keyword
        agent.ephemeral_id keyword
        agent.id keyword
        agent.name keyword
        agent.type keyword
        agent.version keyword
        event.action keyword
        event.agent_id_status keyword
        event.category keyword list
        event.code keyword
        event.created date
        event.dataset keyword
        event.duration long
        event.end date
        event.hash keyword
        event.id keyword
        event.ingested date
        event.kind keyword
        event.module keyword
        event.original keyword
        event.outcome keyword
        event.provider keyword
        event.reason keyword
        event.reference keyword
        event.risk_score float
        event.risk_score_norm float
        event.sequence long
        event.severity long
        event.start date
        event.timezone keyword
        event.type keyword list
        event.url keyword
        network.application keyword
        network.bytes long
        network.community_id keyword
        network.direction keyword
        network.forwarded_ip ip
        network.iana_number keyword
        network.name keyword
        network.packets long
        network.protocol keyword
        network.transport keyword
        network.type keyword
        observer.geo.city_name keyword
        observer.geo.continent_code keyword
        observer.geo.continent_name keyword
        observer.geo.country_iso_code keyword
        observer.geo.country_name keyword
        observer.geo.location geo_point
        observer.geo.name keyword
        observer.geo.postal_code keyword
        observer.geo.region_iso_code keyword
        observer.geo.region_name keyword
        observer.geo.timezone keyword
        observer.hostname keyword
        observer.ip ip list
        observer.mac keyword list
        observer.name keyword
        observer.product keyword
        observer.serial_number keyword
        observer.type keyword
        observer.vendor keyword
        observer.version keyword
        organization.id keyword
        organization.name keyword
        related.hash keyword list
        related.hosts keyword list
        related.ip ip list
        related.user keyword list
        source.address keyword
        source.bytes long
        source.domain keyword
        source.geo.city_name keyword
        source.geo.continent_code keyword
        source.geo.continent_name keyword
        source.geo.country_iso_code keyword
        source.geo.country_name keyword
        source.geo.location geo_point
        source.geo.name keyword
        source.geo.postal_code keyword
        source.geo.region_iso_code keyword
        source.geo.region_name keyword
        source.geo.timezone keyword
        source.ip ip
        source.mac keyword
        source.nat.ip ip
        source.nat.port long
        source.packets long
        source.port long
        source.registered_domain keyword
        source.subdomain keyword
        source.top_level_domain keyword

        """
}
