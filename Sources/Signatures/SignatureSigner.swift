import Cryptography
package import HTTPTypes

/// Signs outgoing requests. Any number of threads may use one at once.
package struct SignatureSigner: Sendable {
    package let scheme: SignatureScheme
    private let keys: [SignatureKey]

    /// - Parameter secrets: all of them sign where the scheme can carry several signatures, otherwise the first.
    /// - Throws: for an empty list, an empty secret, a public key, or a secret that is not in the scheme's encoding.
    package init(scheme: SignatureScheme, secrets: [NamedSecret]) throws(SignatureError) {
        self.scheme = scheme
        let prepared = try SignatureKey.prepare(secrets, for: scheme, .signing)
        keys = scheme.carriesSeveralSignatures ? prepared : Array(prepared.prefix(1))
    }

    /// The headers to send with this body.
    ///
    /// - Parameters:
    ///   - id: what `{id}` stands for; the same over all tries of one message.
    ///   - url: where it is sent to: `{url}` stands for its path and query, which is all that a receiver sees of it.
    package func headers(
        body: UnsafeRawBufferPointer, id: String = "", url: String = "", timestampSeconds: Int64
    ) -> [HeaderField] {
        let timestamp = scheme.timestamp.map { String(timestampSeconds * $0.unit.perSecond) }
        let message = unsafe SignedMessage(body: body, timestamp: timestamp ?? "", id: id, url: Self.pathAndQuery(url))
        let signatures = keys.map { key in
            scheme.variants[key.variant].signaturePrefix + scheme.encoding.encode(sign(message, with: key))
        }
        var fields: [HeaderField] = []
        if let idHeader = scheme.idHeader { fields.append(HeaderField(idHeader, id)) }
        if case .header(let name) = scheme.timestamp?.place, let timestamp {
            fields.append(HeaderField(name, timestamp))
        }
        fields.append(HeaderField(scheme.header, value(signatures, timestamp)))
        return fields
    }

    package func headers(
        body: [UInt8], id: String = "", url: String = "", timestampSeconds: Int64
    ) -> [HeaderField] {
        unsafe body.withUnsafeBytes {
            unsafe headers(body: $0, id: id, url: url, timestampSeconds: timestampSeconds)
        }
    }

    /// As the request line has them (RFC 9112, section 3.2.1); a text that is no URL is taken for them.
    static func pathAndQuery(_ url: String) -> String {
        guard let separator = url.firstRange(of: "://") else { return url }
        let rest = url[separator.upperBound...]
        let resource = rest[(rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex)...].prefix { $0 != "#" }
        return resource.hasPrefix("/") ? String(resource) : "/" + resource
    }

    private func value(_ signatures: [String], _ timestamp: String?) -> String {
        switch scheme.layout {
        case .whole:
            return signatures[0]
        case .parts(_, let written):
            var parts = signatures
            if case .part(let prefix) = scheme.timestamp?.place, let timestamp {
                parts.insert(prefix + timestamp, at: 0)
            }
            return parts.joined(separator: written)
        case .positional(let separator, let timestampFirst):
            let parts = [timestamp ?? "", signatures[0]]
            return (timestampFirst ? parts : parts.reversed()).joined(separator: String(UnicodeScalar(separator)))
        }
    }

    private func sign(_ message: SignedMessage, with key: SignatureKey) -> [UInt8] {
        switch key.material {
        case .shared(let shared): message.authenticate(scheme.content, with: shared)
        case .secret(let secret): secret.sign(message.assembled(scheme.content))
        case .public: preconditionFailure("keys prepared for signing hold no public key")
        }
    }
}
