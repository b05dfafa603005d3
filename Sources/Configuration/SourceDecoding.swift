internal import Events
internal import FieldPolicies
internal import Ingest
internal import JSON
internal import Signatures
internal import Vendors
internal import YAML

/// What `sources:` gave.
struct DecodedSources {
    /// Every configured name, disabled ones too: routes and sites may name them.
    var names: [String] = []
    var enabled: [SourceConfiguration] = []
    var listeners: [String: ListenSettings] = [:]
    var credentials: [String: SourceCredentials] = [:]
    /// The `timezone:` of every configured source that has one.
    var zones: [String: String] = [:]
}

/// Decodes `sources:`.
struct SourcesDecoder {
    /// A replay inside a signature's tolerance is caught by dedupe only while dedupe remembers.
    let dedupe: Duration

    func decode(_ node: YAMLNode?, _ diagnostics: inout Diagnostics) -> DecodedSources {
        var result = DecodedSources()
        for entry in node?.mapping("sources", &diagnostics) ?? [] {
            guard Names.check(entry, "a source's name", &diagnostics) else { continue }
            guard entry.name != Vendors.own.name else {
                diagnostics.error(
                    at: entry.key.location,
                    "a source cannot be called `\(entry.name)`: that is the source of Gatehouse's own events")
                continue
            }
            result.names.append(entry.name)
            guard var decoder = SourceDecoder(entry, dedupe: dedupe, &diagnostics) else { continue }
            let source = decoder.decode(&diagnostics)
            result.zones[entry.name] = source?.timezone
            guard let source, decoder.isEnabled else { continue }
            result.enabled.append(source)
            result.credentials[entry.name] = decoder.credentials
            if let listen = decoder.listen { result.listeners[entry.name] = listen }
        }
        return result
    }
}

/// Decodes one source.
private struct SourceDecoder {
    private var reader: MappingReader
    private let name: String
    private let dedupe: Duration
    private(set) var isEnabled = true
    private(set) var listen: ListenSettings?
    private(set) var credentials = SourceCredentials()
    /// Whether a secret's `${…}` has no value here: good enough to be checked, not to verify anything.
    private var hasUnresolvedSecret = false

    init?(_ entry: YAMLEntry, dedupe: Duration, _ diagnostics: inout Diagnostics) {
        guard let reader = MappingReader(entry.value, "source \(entry.name)", &diagnostics) else { return nil }
        self.reader = reader
        name = entry.name
        self.dedupe = dedupe
    }

    mutating func decode(_ diagnostics: inout Diagnostics) -> SourceConfiguration? {
        let vendor = vendor(&diagnostics)
        isEnabled = reader.optional("enabled")?.boolean(&diagnostics) ?? true
        listen = reader.optional("listen").flatMap { ListenSettings.decode($0, &diagnostics) }
        let tolerance = tolerance(vendor, &diagnostics)
        let authentication = authentication(vendor, tolerance, &diagnostics)
        let maximumBody = maximumBody(&diagnostics)
        let allow = reader.optional("allow").map { networks($0, &diagnostics) } ?? []
        let settings = settings(&diagnostics)
        let keySpace = keySpace(&diagnostics)
        let timezone = reader.optional("timezone")?.timeZone(&diagnostics)
        let expectEvery = reader.optional("expect_every")?.duration(
            in: .seconds(1) ... .seconds(366 * 86_400), &diagnostics)
        let mode = mode(vendor, &diagnostics)
        let deadline = deadline(vendor, &diagnostics)
        let fieldPolicy = FieldPolicy.decode(&reader, at: .source, &diagnostics)
        reader.finish(&diagnostics)
        guard let vendor, let authentication else { return nil }
        var source = SourceConfiguration(
            name: name, vendor: vendor, authentication: authentication,
            maximumBody: maximumBody ?? vendor.traits.maximumBody, allow: allow, settings: settings,
            keySpace: keySpace, timezone: timezone, expectEvery: expectEvery, mode: mode, deadline: deadline)
        source.fieldPolicy = fieldPolicy
        return source
    }

    // MARK: decisions

    /// Nil where the source leaves it to its vendor.
    private mutating func mode(_ vendor: (any Vendor)?, _ diagnostics: inout Diagnostics) -> SourceMode? {
        guard let node = reader.optional("mode"),
            let mode = node.choice(of: SourceMode.allCases.map(\.rawValue), &diagnostics).flatMap(SourceMode.init)
        else { return nil }
        if let vendor, vendor.waiting == nil, mode != .notify {
            diagnostics.error(at: node.location, "\(vendor.name) never waits for a decision; leave `mode:` out")
            return nil
        }
        return mode
    }

    private mutating func deadline(_ vendor: (any Vendor)?, _ diagnostics: inout Diagnostics) -> Duration? {
        guard let node = reader.optional("deadline"), let vendor else { return nil }
        guard let longest = SourceConfiguration.longestDeadline(vendor) else {
            diagnostics.error(at: node.location, "\(vendor.name) never waits for a decision; leave `deadline:` out")
            return nil
        }
        return node.duration(in: SourceConfiguration.shortestDeadline...longest, &diagnostics)
    }

    private mutating func keySpace(_ diagnostics: inout Diagnostics) -> String? {
        guard let node = reader.optional("dedupe_as"), let name = node.name(&diagnostics) else { return nil }
        if name == Vendors.own.name {
            diagnostics.error(
                at: node.location, "dedupe_as: cannot be `\(name)`: that is the source of Gatehouse's own events")
        }
        return name
    }

    private mutating func vendor(_ diagnostics: inout Diagnostics) -> (any Vendor)? {
        guard let node = reader.required("vendor", &diagnostics) else { return nil }
        return node.choice(of: Vendors.all.map(\.name), &diagnostics).flatMap(Vendors.named)
    }

    private mutating func maximumBody(_ diagnostics: inout Diagnostics) -> Int? {
        guard let node = reader.optional("max_body"), let size = node.size(&diagnostics) else { return nil }
        guard (1...(1 << 30)).contains(size) else {
            diagnostics.error(at: node.location, "max_body: must be from 1 byte to 1GiB")
            return nil
        }
        return size
    }

    private mutating func tolerance(_ vendor: (any Vendor)?, _ diagnostics: inout Diagnostics) -> Duration {
        let node = reader.optional("tolerance")
        let standard = Duration.seconds(vendor?.traits.toleranceSeconds ?? 300)
        let tolerance = node?.duration(in: .seconds(1) ... .seconds(30 * 86_400), &diagnostics) ?? standard
        if tolerance > dedupe {
            diagnostics.error(
                at: node?.location ?? reader.location,
                "tolerance of source \(name) (\(tolerance.components.seconds)s) is longer than dedupe: "
                    + "(\(dedupe.components.seconds)s), so a replay could be taken twice; raise dedupe: or lower tolerance:"
            )
        }
        return tolerance
    }

    // MARK: authentication

    private mutating func authentication(
        _ vendor: (any Vendor)?, _ tolerance: Duration, _ diagnostics: inout Diagnostics
    ) -> SourceAuthentication? {
        var secrets: [NamedSecret] = []
        if let node = reader.optional("secrets") { secrets = self.secrets(node, &diagnostics) }
        let apiKey = reader.entry("api_key")
        let headers = headers(apiKey, vendor, &diagnostics)
        let scheme = scheme(vendor, &diagnostics)
        let verify = reader.optional("verify")
        // An unset reference may stand for `none`.
        let isVerified = verify?.choice(of: ["none"], &diagnostics) == nil && verify?.scalar?.isResolved ?? true
        let coverage = reader.optional("signed")?.choice(of: ["body", "payload"], &diagnostics)
        credentials = SourceCredentials(scheme: scheme, secrets: secrets, headers: headers)
        var result = SourceAuthentication(signed: coverage == "payload" ? .payload : .body)
        guard vendor != nil, !hasUnresolvedSecret else { return result }
        do throws(SignatureError) {
            if !headers.isEmpty { result.headers = try StaticHeaderCheck(headers: headers) }
            if !secrets.isEmpty {
                guard let scheme else {
                    if reader.entry("signature") == nil {
                        diagnostics.error(
                            at: reader.location,
                            "source \(name) has secrets: but no signature: that says how they sign")
                    }
                    return nil
                }
                result.signature = try SignatureVerifier(scheme: scheme, secrets: secrets, tolerance: tolerance)
            }
        } catch {
            diagnostics.error(at: reader.location, "source \(name): \(error.description)")
            return nil
        }
        if isVerified, result.headers == nil, result.signature == nil {
            diagnostics.error(at: reader.location, "source \(name) \(Self.missing(vendor))")
        }
        return result
    }

    private static func missing(_ vendor: (any Vendor)?) -> String {
        let what =
            switch vendor?.traits.authentication {
            case .apiKey: "needs its `api_key:`"
            case .headers: "needs `headers:` with the value the sender was told to send"
            case .configured: "needs `signature:` and `secrets:`, or `headers:`"
            default: "needs `secrets:`"
            }
        return what + "; to take requests from anybody, say `verify: none`"
    }

    private mutating func scheme(_ vendor: (any Vendor)?, _ diagnostics: inout Diagnostics) -> SignatureScheme? {
        if let node = reader.optional("signature") { return SignatureScheme(yaml: node, &diagnostics) }
        guard case .signature(let scheme) = vendor?.traits.authentication else { return nil }
        return scheme
    }

    private mutating func headers(
        _ apiKey: YAMLEntry?, _ vendor: (any Vendor)?, _ diagnostics: inout Diagnostics
    ) -> [(name: String, values: [NamedSecret])] {
        var headers: [(name: String, values: [NamedSecret])] = []
        if let apiKey {
            if case .apiKey(let header) = vendor?.traits.authentication {
                headers.append((header, secrets(apiKey.value, &diagnostics)))
            } else if let vendor {
                diagnostics.error(
                    at: apiKey.key.location, "\(vendor.name) has no api key; use `secrets:` or `headers:`")
            }
        }
        for entry in reader.optional("headers")?.mapping("headers", &diagnostics) ?? [] {
            headers.append((entry.name, secrets(entry.value, &diagnostics)))
        }
        return headers
    }

    /// One value or a list; a secret's name is its reference's, or its position.
    private mutating func secrets(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> [NamedSecret] {
        var secrets: [NamedSecret] = []
        for (position, element) in node.list(&diagnostics).enumerated() {
            guard let value = element.string(&diagnostics) else { continue }
            if element.scalar?.isResolved == false { hasUnresolvedSecret = true }
            let reference = element.scalar?.reference.map(Self.referenceName)
            secrets.append(NamedSecret(name: reference ?? String(position + 1), value: value))
        }
        return secrets
    }

    /// `${env:LONDON}` is named `LONDON`.
    private static func referenceName(_ reference: String) -> String {
        guard let colon = reference.firstIndex(of: ":"), let end = reference.lastIndex(of: "}") else {
            return reference
        }
        return String(reference[reference.index(after: colon)..<end])
    }

    // MARK: the mapping

    private mutating func settings(_ diagnostics: inout Diagnostics) -> DecodeSettings {
        var settings = DecodeSettings(source: name)
        settings.group = reader.optional("group").flatMap { Self.group($0, &diagnostics) }
        for entry in reader.optional("labels")?.mapping("labels", &diagnostics) ?? [] {
            if let label = entry.value.name(&diagnostics) { settings.labels[entry.name] = label }
        }
        let types = CanonicalType.ofSenders.map(\.rawValue)
        for entry in reader.optional("events")?.mapping("events", &diagnostics) ?? [] {
            guard let name = entry.value.choice(of: types, &diagnostics) else { continue }
            settings.events[entry.name] = CanonicalType(rawValue: name)
        }
        if let map = reader.optional("map") { settings.map = FieldMap.decode(map, &diagnostics) }
        settings.keepsBiometrics =
            reader.optional("biometrics")?.choice(of: ["keep", "remove"], &diagnostics) == "keep"
        return settings
    }

    private static func group(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> GroupSetting? {
        guard node.entries != nil else { return node.name(&diagnostics).map(GroupSetting.name) }
        guard var reader = MappingReader(node, "group", &diagnostics) else { return nil }
        let parameter = reader.required("query", &diagnostics)?.name(&diagnostics)
        reader.finish(&diagnostics)
        return parameter.map(GroupSetting.query)
    }
}

extension FieldMap {
    /// `field: /pointer` or `field: [/first, /second]`; `event`, `time` and `key` beside the fields of the table.
    static func decode(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> FieldMap {
        var map = FieldMap()
        for entry in node.mapping("map", &diagnostics) ?? [] {
            let pointers = pointers(entry.value, &diagnostics)
            switch entry.name {
            case "event": map.event = pointers
            case "time": map.time = pointers
            case "key": map.key = pointers
            default:
                if let field = EventField(path: entry.name), !field.isSystem {
                    map.fields.append((field, pointers))
                } else {
                    let known = EventField.ofSenders.map(\.path) + ["event", "time", "key"]
                    diagnostics.error(
                        at: entry.key.location, "there is no field `\(displayable(entry.name))`",
                        didYouMean: nearest(entry.name, among: known))
                }
            }
        }
        return map
    }

    private static func pointers(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> [JSONPointer] {
        var pointers: [JSONPointer] = []
        for element in node.list(&diagnostics) {
            guard let text = element.string(&diagnostics), element.scalar?.isResolved ?? false else { continue }
            do throws(JSONPointerError) {
                pointers.append(try JSONPointer(text))
            } catch {
                diagnostics.error(
                    at: element.location,
                    "expected a JSON pointer such as /visitor/id, found `\(element.scalar?.displayText ?? "")`")
            }
        }
        return pointers
    }
}
