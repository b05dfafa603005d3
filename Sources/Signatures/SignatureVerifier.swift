import Cryptography
package import HTTPTypes

/// Decides whether a request was signed by a holder of one of the secrets. Any number of threads may use one at once.
package struct SignatureVerifier: Sendable {
    package let scheme: SignatureScheme
    private let keys: [SignatureKey]
    private let toleranceSeconds: Int64

    /// - Parameter tolerance: how far the signed time may lie from ours, either way.
    /// - Throws: for an empty list, an empty secret, or one that is not in the scheme's encoding.
    package init(scheme: SignatureScheme, secrets: [NamedSecret], tolerance: Duration) throws(SignatureError) {
        self.scheme = scheme
        keys = try SignatureKey.prepare(secrets, for: scheme, .verifying)
        toleranceSeconds = tolerance.components.seconds
    }

    /// - Parameters:
    ///   - url: what `{url}` stands for, as the sender knows it.
    ///   - body: the bytes that were signed, exactly as received.
    ///   - nowSeconds: our clock, seconds since 1970.
    package func verify(
        headers: HeaderFields, url: String = "", body: UnsafeRawBufferPointer, nowSeconds: Int64
    ) -> Result<VerifiedSignature, SignatureFailure> {
        do throws(SignatureFailure) {
            let received = try ReceivedSignature(single(scheme.header, headers, .signatureMissing), scheme)
            let timestamp = try timestamp(headers, received)
            let number = try timestamp.map { (text) throws(SignatureFailure) in try ReceivedSignature.number(text) }
            let id = try scheme.idHeader.map { (name) throws(SignatureFailure) in
                try single(name, headers, .signatureMissing)
            }
            let message = unsafe SignedMessage(
                body: body, timestamp: timestamp ?? "", id: id ?? "", url: url)
            let key = try signer(of: message, received)
            let seconds = number.map { $0 / (scheme.timestamp?.unit.perSecond ?? 1) }
            // After the signature, so that a report of skew is about the sender's clock and not about a stranger's.
            if let seconds { try checkTolerance(seconds, nowSeconds) }
            return .success(VerifiedSignature(secretName: key.name, id: id, timestampSeconds: seconds))
        } catch {
            return .failure(error)
        }
    }

    package func verify(
        headers: HeaderFields, url: String = "", body: [UInt8], nowSeconds: Int64
    ) -> Result<VerifiedSignature, SignatureFailure> {
        unsafe body.withUnsafeBytes { unsafe verify(headers: headers, url: url, body: $0, nowSeconds: nowSeconds) }
    }

    private func single(
        _ name: String, _ headers: HeaderFields, _ missing: SignatureFailure.Code
    ) throws(SignatureFailure) -> String {
        var found: String?
        for field in headers.fields where HeaderFields.matches(field.name, name) {
            guard found == nil else { throw SignatureFailure(.signatureRepeated, "header \(name) stands twice") }
            found = field.value
        }
        guard let found, !found.isEmpty else { throw SignatureFailure(missing, "header \(name) is missing or empty") }
        return found
    }

    private func timestamp(
        _ headers: HeaderFields, _ received: ReceivedSignature
    ) throws(SignatureFailure) -> String? {
        switch scheme.timestamp?.place {
        case nil:
            return nil
        case .header(let name):
            return try single(name, headers, .timestampMissing)
        case .part, .position:
            guard let timestamp = received.timestamp else {
                throw SignatureFailure(.timestampMissing, "\(scheme.header) has no timestamp")
            }
            return String(decoding: timestamp, as: UTF8.self)
        }
    }

    /// The first key one of the signatures was made with.
    private func signer(
        of message: SignedMessage, _ received: ReceivedSignature
    ) throws(SignatureFailure) -> SignatureKey {
        let signatures = received.candidates.compactMap { candidate in
            scheme.encoding.decode(candidate.text).map { (prefix: candidate.prefix, bytes: $0) }
        }
        guard !signatures.isEmpty else {
            throw SignatureFailure(.signatureMalformed, "the signature is not \(scheme.encoding.rawValue)")
        }
        for key in keys {
            let variant = scheme.variants[key.variant]
            let comparable = signatures.filter {
                $0.prefix == variant.signaturePrefix && $0.bytes.count == variant.algorithm.signatureLength
            }
            guard !comparable.isEmpty else { continue }
            if matches(key, message, comparable.map(\.bytes)) { return key }
        }
        let several = keys.count > 1 ? "any of the \(keys.count) secrets" : "the secret"
        throw SignatureFailure(
            .signatureMismatch,
            "the signature was not made with \(several) over these bytes; compare the secret with the sender's, "
                + "and see that nothing between changes the body")
    }

    private func matches(_ key: SignatureKey, _ message: SignedMessage, _ signatures: [[UInt8]]) -> Bool {
        switch key.material {
        case .shared(let shared):
            let expected = message.authenticate(scheme.content, with: shared)
            return signatures.contains { constantTimeEquals($0, expected) }
        case .public(let publicKey):
            let assembled = message.assembled(scheme.content)
            return signatures.contains { publicKey.verify($0, of: assembled) }
        case .secret:
            preconditionFailure("keys prepared for verifying hold no secret key")
        }
    }

    private func checkTolerance(_ seconds: Int64, _ now: Int64) throws(SignatureFailure) {
        let skew = seconds.subtractingReportingOverflow(now).partialValue
        guard skew.magnitude > toleranceSeconds.magnitude else { return }
        let direction = skew > 0 ? "ahead of" : "behind"
        throw SignatureFailure(
            .timestampOutOfTolerance,
            "the signed timestamp is \(skew.magnitude) s \(direction) this machine's clock; \(toleranceSeconds) s are "
                + "tolerated. Compare both clocks; a request sent again much later is refused too",
            skewSeconds: skew)
    }
}
