package import Cryptography

/// How a sender signs its requests, as data: what is signed, with what, and where signature and timestamp stand.
///
/// The same value verifies what comes in and signs what goes out. Whole families of senders differ in nothing else.
package struct SignatureScheme: Sendable, Hashable {
    /// As configuration spells it; `custom` for one written out there.
    package var name: String
    /// The header that carries the signature.
    package var header: String
    package var layout: SignatureLayout
    package var encoding: SignatureEncoding
    /// Nil: the scheme signs no time, and only deduplication stands against a replay.
    package var timestamp: SignatureTimestamp?
    /// The header that carries `{id}`.
    package var idHeader: String?
    package var content: SignedContent
    /// The first one is for secrets without a known prefix. Never empty.
    package var variants: [SignatureVariant]

    package init(
        name: String, header: String, layout: SignatureLayout = .whole, encoding: SignatureEncoding,
        timestamp: SignatureTimestamp? = nil, idHeader: String? = nil, content: SignedContent,
        variants: [SignatureVariant]
    ) {
        precondition(!variants.isEmpty, "a scheme signs with something")
        self.name = name
        self.header = header
        self.layout = layout
        self.encoding = encoding
        self.timestamp = timestamp
        self.idHeader = idHeader
        self.content = content
        self.variants = variants
    }

    /// Whether one header can carry the signatures of several secrets, so that a receiver may change over at leisure.
    package var carriesSeveralSignatures: Bool {
        if case .parts = layout { true } else { false }
    }

    /// Every header a signed request carries, in the order they are written.
    package var headers: [String] {
        var names: [String] = []
        if let idHeader { names.append(idHeader) }
        if case .header(let name) = timestamp?.place { names.append(name) }
        names.append(header)
        return names
    }
}

/// How the value of the signature's header is built.
package enum SignatureLayout: Sendable, Hashable {
    /// The variant's prefix and the signature, nothing else.
    case whole
    /// Parts in any order, each known by its prefix, with space around them; several signatures may stand there, and
    /// parts nobody knows are skipped. `separators` are the bytes taken when reading, `written` is what stands between
    /// parts when signing.
    case parts(separators: [UInt8], written: String)
    /// Timestamp and signature, told apart by their places.
    case positional(separator: UInt8, timestampFirst: Bool)
}

package enum SignatureEncoding: String, Sendable, Hashable, CaseIterable {
    case hex, base64

    func encode(_ bytes: [UInt8]) -> String {
        switch self {
        case .hex: Hex.encode(bytes)
        case .base64: Base64.encode(bytes)
        }
    }

    func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        switch self {
        case .hex: Hex.decode(ascii: text)
        case .base64: Base64.decode(ascii: text)
        }
    }
}

package struct SignatureTimestamp: Sendable, Hashable {
    package enum Place: Sendable, Hashable {
        /// A header of its own.
        case header(String)
        /// The part of the signature's header that begins so.
        case part(prefix: String)
        /// Where `SignatureLayout.positional` says.
        case position
    }

    /// Of the number since 1970.
    package enum Unit: String, Sendable, Hashable, CaseIterable {
        case seconds, milliseconds

        var perSecond: Int64 {
            switch self {
            case .seconds: 1
            case .milliseconds: 1000
            }
        }
    }

    package var place: Place
    package var unit: Unit

    package init(_ place: Place, unit: Unit = .seconds) {
        self.place = place
        self.unit = unit
    }
}

package enum SignatureAlgorithm: Sendable, Hashable {
    case hmac(HashAlgorithm)
    case ed25519

    /// Bytes.
    var signatureLength: Int {
        switch self {
        case .hmac(let algorithm): algorithm.digestLength
        case .ed25519: Ed25519.signatureLength
        }
    }
}

/// How a secret's text becomes key bytes.
package enum KeyEncoding: String, Sendable, Hashable, CaseIterable {
    case utf8, base64, hex

    func decode(_ text: Substring) -> [UInt8]? {
        switch self {
        case .utf8: Array(text.utf8)
        case .base64: Base64.decode(text, padding: .optional)
        case .hex: Hex.decode(text)
        }
    }
}

/// One kind of key and the signatures it makes. A secret's own prefix chooses among a scheme's variants.
package struct SignatureVariant: Sendable, Hashable {
    package enum KeyRole: Sendable, Hashable {
        /// The same key signs and verifies (HMAC).
        case shared
        /// Signs; verifies through the public key it implies.
        case secretKey
        /// Verifies only.
        case publicKey
        /// Without a prefix to tell: a secret key where something is signed, a public one where it is verified.
        case byUse
    }

    package var algorithm: SignatureAlgorithm
    /// What stands before the signature in the header, such as `sha256=`. Compared with regard to case.
    package var signaturePrefix: String
    package var keyEncoding: KeyEncoding
    /// What stands before the key in a secret's text, such as `whsec_`; not part of the key.
    package var keyPrefix: String
    package var keyRole: KeyRole

    package init(
        _ algorithm: SignatureAlgorithm, signaturePrefix: String = "", keyEncoding: KeyEncoding = .utf8,
        keyPrefix: String = "", keyRole: KeyRole = .shared
    ) {
        self.algorithm = algorithm
        self.signaturePrefix = signaturePrefix
        self.keyEncoding = keyEncoding
        self.keyPrefix = keyPrefix
        self.keyRole = keyRole
    }
}
