import Cryptography
package import YAML

extension SignatureScheme {
    /// Reads `{scheme: NAME}`, a bare NAME, or the free form: `header`, `algorithm`, `encoding`, `key`, `timestamp`,
    /// `id`, `content`, `prefix`, `separator`. Nil when an error was reported.
    package init?(yaml node: YAMLNode, _ diagnostics: inout Diagnostics) {
        if node.scalar != nil {
            self.init(name: node, &diagnostics)
            return
        }
        guard var reader = MappingReader(node, "signature", &diagnostics) else { return nil }
        let scheme = SignatureScheme(&reader, &diagnostics)
        reader.finish(&diagnostics)
        guard let scheme else { return nil }
        self = scheme
    }

    /// Takes the scheme's keys from a mapping that holds others beside them (`sign: {scheme: …, secrets: …}`);
    /// finishing the reader is left to the caller.
    package init?(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        if let name = reader.optional("scheme") {
            self.init(name: name, &diagnostics)
            return
        }
        guard let scheme = FreeScheme(&reader, &diagnostics).scheme(&diagnostics) else { return nil }
        self = scheme
    }

    private init?(name node: YAMLNode, _ diagnostics: inout Diagnostics) {
        guard let name = node.choice(of: SignatureSchemes.all.map(\.name), &diagnostics),
            let scheme = SignatureSchemes.named(name)
        else { return nil }
        self = scheme
    }
}

/// The free form's keys as read, each good by itself; what they make together is judged in `scheme`.
private struct FreeScheme {
    private let location: SourceLocation
    private var isComplete = true
    /// False while a reference in it has no value.
    private var isKnown = true
    private var header = ""
    private var algorithm = SignatureAlgorithm.hmac(.sha256)
    private var encoding = SignatureEncoding.hex
    private var keyEncoding = KeyEncoding.utf8
    private var keyPrefix = ""
    private var timestamp: (value: TimestampSetting, location: SourceLocation)?
    private var id: (header: String, location: SourceLocation)?
    private var content: (value: SignedContent, location: SourceLocation)?
    private var prefix = ""
    private var separator: (text: String, location: SourceLocation)?

    private static let algorithms: [String: SignatureAlgorithm] = [
        "sha1": .hmac(.sha1), "sha256": .hmac(.sha256), "sha512": .hmac(.sha512), "ed25519": .ed25519,
    ]

    init(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        location = reader.location
        if let header = reader.required("header", &diagnostics).flatMap({ headerName($0, &diagnostics) }) {
            self.header = header
        } else {
            isComplete = false
        }
        read(&reader, "algorithm", &diagnostics) { node, this, diagnostics in
            node.choice(of: Self.algorithms.keys.sorted(), &diagnostics).map { this.algorithm = Self.algorithms[$0]! }
        }
        read(&reader, "encoding", &diagnostics) { node, this, diagnostics in
            choice(node, &diagnostics).map { this.encoding = $0 }
        }
        read(&reader, "key", &diagnostics) { node, this, diagnostics in this.readKey(node, &diagnostics) }
        read(&reader, "timestamp", &diagnostics) { node, this, diagnostics in
            TimestampSetting(node, &diagnostics).map { this.timestamp = ($0, node.location) }
        }
        read(&reader, "id", &diagnostics) { node, this, diagnostics in
            headerName(node, &diagnostics).map { this.id = ($0, node.location) }
        }
        read(&reader, "content", &diagnostics) { node, this, diagnostics in this.readContent(node, &diagnostics) }
        read(&reader, "prefix", &diagnostics) { node, this, diagnostics in
            visibleText(node, &diagnostics).map { this.prefix = $0 }
        }
        read(&reader, "separator", &diagnostics) { node, this, diagnostics in
            separatorText(node, &diagnostics).map { this.separator = ($0, node.location) }
        }
    }

    /// Reads one key if it is there; a reading that gives nil has reported why.
    private mutating func read(
        _ reader: inout MappingReader, _ key: String, _ diagnostics: inout Diagnostics,
        _ body: (YAMLNode, inout FreeScheme, inout Diagnostics) -> Void?
    ) {
        guard let node = reader.optional(key) else { return }
        guard node.scalar?.isResolved ?? true else {
            isKnown = false
            return
        }
        if body(node, &self, &diagnostics) == nil { isComplete = false }
    }

    private mutating func readKey(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> Void? {
        if node.scalar != nil { return choice(node, &diagnostics).map { keyEncoding = $0 } }
        guard var reader = MappingReader(node, "key", &diagnostics) else { return nil }
        defer { reader.finish(&diagnostics) }
        if let encoding = reader.required("encoding", &diagnostics) {
            guard let encoding: KeyEncoding = choice(encoding, &diagnostics) else { return nil }
            keyEncoding = encoding
        }
        if let prefix = reader.optional("prefix") {
            guard let prefix = prefix.string(&diagnostics) else { return nil }
            keyPrefix = prefix
        }
        return ()
    }

    private mutating func readContent(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> Void? {
        guard let text = node.string(&diagnostics) else { return nil }
        do {
            content = (try SignedContent(text), node.location)
            return ()
        } catch {
            var suggestion: String?
            if case .unknownPlaceholder(let name) = error {
                suggestion = nearest(name, among: SignedContent.placeholders)
            }
            if let scalar = node.scalar, scalar.reference != nil {
                diagnostics.error(at: node.location, "`\(scalar.displayText)` is no content to sign")
            } else {
                diagnostics.error(at: node.location, "\(error)", didYouMean: suggestion)
            }
            return nil
        }
    }

    func scheme(_ diagnostics: inout Diagnostics) -> SignatureScheme? {
        guard isKnown else { return nil }
        let layout = layout(&diagnostics)
        let contentIsGood = contentFits(&diagnostics)
        guard isComplete, contentIsGood, let layout else { return nil }
        let content = content?.value ?? SignedContent(known: "{body}")
        return SignatureScheme(
            name: "custom", header: header, layout: layout, encoding: encoding,
            timestamp: timestamp.map { SignatureTimestamp($0.value.place, unit: $0.value.unit) },
            idHeader: content.signsID ? id?.header ?? "webhook-id" : nil, content: content,
            variants: [
                SignatureVariant(
                    algorithm, signaturePrefix: prefix, keyEncoding: keyEncoding, keyPrefix: keyPrefix,
                    keyRole: algorithm == .ed25519 ? .byUse : .shared)
            ])
    }

    private func layout(_ diagnostics: inout Diagnostics) -> SignatureLayout? {
        guard let separator else {
            guard let timestamp, timestamp.value.standsInSignatureHeader else { return .whole }
            diagnostics.error(
                at: timestamp.location,
                "a timestamp inside the signature's header needs `separator:`, what stands between the two")
            return nil
        }
        guard case .position = timestamp?.value.place else {
            return .parts(separators: Array(separator.text.utf8), written: separator.text)
        }
        guard separator.text.utf8.count == 1, let byte = separator.text.utf8.first else {
            diagnostics.error(at: separator.location, "between two places stands one character")
            return nil
        }
        return .positional(separator: byte, timestampFirst: timestamp?.value.isFirst ?? true)
    }

    /// Whether what is signed and what is sent beside it are the same things.
    private func contentFits(_ diagnostics: inout Diagnostics) -> Bool {
        guard isComplete else { return false }
        let signsTimestamp = content?.value.signsTimestamp ?? false
        if let timestamp, !signsTimestamp {
            diagnostics.error(
                at: content?.location ?? timestamp.location,
                "a timestamp that is not signed proves nothing; put {ts} into `content:`, or leave `timestamp:` out"
            )
            return false
        }
        if timestamp == nil, signsTimestamp {
            diagnostics.error(
                at: content?.location ?? location, "{ts} is signed, but `timestamp:` does not say where it stands")
            return false
        }
        if let id, content?.value.signsID != true {
            diagnostics.error(at: id.location, "an id that is not signed proves nothing; put {id} into `content:`")
            return false
        }
        return true
    }
}

/// `timestamp:` — a header's name, the beginning of a part (`t=`), or `{header | prefix | position, unit}`.
private struct TimestampSetting {
    var place: SignatureTimestamp.Place
    var isFirst = true
    var unit = SignatureTimestamp.Unit.seconds

    var standsInSignatureHeader: Bool {
        if case .header = place { false } else { true }
    }

    init?(_ node: YAMLNode, _ diagnostics: inout Diagnostics) {
        if node.scalar != nil {
            guard let text = visibleText(node, &diagnostics) else { return nil }
            place = isToken(text) ? .header(text) : .part(prefix: text)
            return
        }
        guard var reader = MappingReader(node, "timestamp", &diagnostics) else { return nil }
        defer { reader.finish(&diagnostics) }
        let header = reader.optional("header").map { headerName($0, &diagnostics) }
        let prefix = reader.optional("prefix").map { visibleText($0, &diagnostics) }
        let position = reader.optional("position").map { $0.choice(of: ["first", "last"], &diagnostics) }
        switch (header, prefix, position) {
        case (.some(let header), nil, nil):
            guard let header else { return nil }
            place = .header(header)
        case (nil, .some(let prefix), nil):
            guard let prefix else { return nil }
            place = .part(prefix: prefix)
        case (nil, nil, .some(let position)):
            guard let position else { return nil }
            place = .position
            isFirst = position == "first"
        default:
            diagnostics.error(
                at: node.location, "timestamp needs one of `header:`, `prefix:` and `position:`, and only one")
            return nil
        }
        if let unit = reader.optional("unit") {
            guard let unit: SignatureTimestamp.Unit = choice(unit, &diagnostics) else { return nil }
            self.unit = unit
        }
    }
}

private func choice<Value: RawRepresentable & CaseIterable>(
    _ node: YAMLNode, _ diagnostics: inout Diagnostics
) -> Value? where Value.RawValue == String {
    node.choice(of: Value.allCases.map(\.rawValue), &diagnostics).flatMap(Value.init(rawValue:))
}

private func headerName(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
    guard let text = node.string(&diagnostics) else { return nil }
    guard isToken(text) else {
        diagnostics.error(at: node.location, "a header's name is letters, digits and !#$%&'*+-.^_`|~")
        return nil
    }
    return text
}

private func visibleText(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
    guard let text = node.string(&diagnostics) else { return nil }
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        diagnostics.error(at: node.location, "expected visible ASCII characters without space")
        return nil
    }
    return text
}

private func separatorText(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> String? {
    guard let text = node.string(&diagnostics) else { return nil }
    guard (1...8).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 }),
        !text.utf8.contains(where: { isAlphanumeric($0) })
    else {
        diagnostics.error(at: node.location, "a separator is one to eight ASCII characters, neither letters nor digits")
        return nil
    }
    return text
}

/// RFC 9110, section 5.6.2.
private func isToken(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count)
        && text.utf8.allSatisfy { isAlphanumeric($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
}

private func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"):
        true
    default: false
    }
}
