internal import Addresses
internal import Targets
internal import YAML

extension LogSettings {
    /// `embedded`, or `{kafka: {…}}`.
    static func decode(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> LogSettings {
        guard node.entries != nil else {
            guard node.scalar?.text != "kafka" else {
                diagnostics.error(
                    at: node.location, "a log in Kafka needs its brokers: `log: {kafka: {brokers: [\"kafka-1:9092\"]}}`"
                )
                return .embedded
            }
            _ = node.choice(of: ["embedded"], &diagnostics)
            return .embedded
        }
        guard var reader = MappingReader(node, "log", &diagnostics) else { return .embedded }
        let kafka = reader.required("kafka", &diagnostics)
        reader.finish(&diagnostics)
        guard let kafka, var keys = MappingReader(kafka, "log: kafka", &diagnostics) else { return .embedded }
        let settings = KafkaLogSettings(&keys, &diagnostics)
        keys.finish(&diagnostics)
        return .kafka(settings)
    }
}

extension KafkaLogSettings {
    fileprivate init(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        self.init()
        addressGuard = reader.optional("allow").map { AddressGuard(allow: networks($0, &diagnostics)) }
        if let node = reader.required("brokers", &diagnostics) {
            if let brokers = KafkaBrokers(node, addressGuard, &diagnostics) {
                (self.brokers, display) = (brokers.names, brokers.display)
            }
            note(unresolvedIn: node)
        }
        instance = reader.optional("instance").flatMap { Self.instance($0, &diagnostics) }
        if let prefix = reader.optional("prefix").flatMap({ Self.prefix($0, &diagnostics) }) { self.prefix = prefix }
        if let count = reader.optional("partitions")?.integer(in: Self.partitionLimits, &diagnostics) {
            partitions = count
        }
        decodeReplication(&reader, &diagnostics)
        if let creates = reader.optional("create_topics")?.boolean(&diagnostics) { createsTopics = creates }
        if let spool = reader.optional("spool") { spoolBytes = Self.spool(spool, &diagnostics) }
        isStructured = reader.optional("format")?.choice(of: ["binary", "structured"], &diagnostics) == "structured"
        if let node = reader.optional("properties") {
            properties = ConfiguredProperties.decode(node, for: .log, &diagnostics)
            for entry in node.entries ?? [] { note(unresolvedIn: entry.value) }
        }
    }

    private mutating func note(unresolvedIn node: YAMLNode) {
        for element in node.elements ?? [node] {
            guard let scalar = element.scalar, !scalar.isResolved else { continue }
            unresolved.append(scalar.displayText)
        }
    }

    /// Without `min_isr:` all copies but one must have an event, of three: a broker may then be away, and one more fail.
    private mutating func decodeReplication(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        replication = reader.optional("replication")?.integer(in: Self.replicationLimits, &diagnostics)
        let node = reader.optional("min_isr")
        minimumInSyncReplicas = node?.integer(in: Self.replicationLimits, &diagnostics)
        if let replication, minimumInSyncReplicas == nil { minimumInSyncReplicas = max(1, min(2, replication - 1)) }
        if let node, let replication, let least = minimumInSyncReplicas, least > replication {
            diagnostics.error(
                at: node.location, "min_isr: \(least) copies can never be in sync where replication: is \(replication)")
        }
    }

    private static func instance(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
        guard let name = node.name(&diagnostics), node.scalar?.isResolved ?? false else { return nil }
        return Names.check(YAMLEntry(key: node, value: node), "an instance's name", &diagnostics) ? name : nil
    }

    private static func prefix(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
        guard let prefix = node.name(&diagnostics), let scalar = node.scalar, scalar.isResolved else { return nil }
        guard KafkaTopicName.isAllowed(prefix), prefix.utf8.count <= longestPrefix, !prefix.hasSuffix(".") else {
            diagnostics.error(
                at: node.location,
                "a prefix is at most \(longestPrefix) letters, digits, dots, underscores and hyphens, with no dot at "
                    + "its end, found `\(scalar.displayText)`")
            return nil
        }
        return prefix
    }

    /// `on`, `off` or `{size: 4GiB}`.
    private static func spool(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> Int? {
        guard node.entries != nil else {
            return node.choice(of: ["on", "off"], &diagnostics) == "off" ? nil : defaultSpoolBytes
        }
        guard var reader = MappingReader(node, "spool", &diagnostics) else { return defaultSpoolBytes }
        let size = reader.required("size", &diagnostics)
        reader.finish(&diagnostics)
        guard let size, let bytes = size.size(&diagnostics) else { return defaultSpoolBytes }
        if bytes < 1 << 20 { diagnostics.error(at: size.location, "spool: size: must be at least 1MiB") }
        return bytes
    }
}

extension Configuration {
    /// Reports names of targets that Kafka takes for one: in the names of topics it does not tell `.` from `_`.
    func checkTopicNames(_ diagnostics: inout Diagnostics) {
        guard log.kafka != nil else { return }
        var seen: [String: String] = [:]
        for (name, location) in targetLocations {
            let key = name.replacing(".", with: "_")
            if let other = seen.updateValue(name, forKey: key) {
                diagnostics.error(
                    at: location,
                    "the targets \(other) and \(name) cannot both have topics: Kafka does not tell `.` from `_` in their "
                        + "names; call one of them something else")
            }
        }
    }
}
