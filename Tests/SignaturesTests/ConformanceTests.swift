import Cryptography
import HTTPTypes
import Signatures
import Testing

extension SignatureScheme: CustomTestStringConvertible {
    package var testDescription: String { name }
}

/// What every scheme must do, whatever its header looks like.
@Suite struct SchemeConformanceTests {
    static let schemes = SignatureSchemes.all + SignatureScheme.freeForms

    @Test("what the signer writes, the verifier takes", arguments: schemes)
    func roundTrip(_ scheme: SignatureScheme) throws {
        for secret in SchemeSamples.secrets(scheme) {
            for body in [SchemeSamples.body, [], Array(repeating: 0xff, count: 100_000)] {
                let headers = try SchemeSamples.signed(scheme, [secret], body: body)
                #expect(headers.fields.map(\.name) == scheme.headers)
                let verified = try SchemeSamples.verify(scheme, [secret], headers, body: body).get()
                #expect(verified.secretName == secret.name)
                #expect(verified.id == (scheme.idHeader == nil ? nil : SchemeSamples.id))
                #expect(verified.timestampSeconds == (scheme.timestamp == nil ? nil : SchemeSamples.now))
            }
        }
    }

    @Test("a flipped bit anywhere in the body is refused", arguments: schemes)
    func flippedBody(_ scheme: SignatureScheme) throws {
        for secret in SchemeSamples.secrets(scheme) {
            let headers = try SchemeSamples.signed(scheme, [secret])
            let verifier = try SignatureVerifier(scheme: scheme, secrets: [secret], tolerance: SchemeSamples.tolerance)
            for bit in 0..<SchemeSamples.body.count * 8 {
                var body = SchemeSamples.body
                body[bit / 8] ^= 1 << (bit % 8)
                let result = verifier.verify(
                    headers: headers, url: SchemeSamples.target, body: body, nowSeconds: SchemeSamples.now)
                #expect(result.code == .signatureMismatch)
            }
            for body in [Array(SchemeSamples.body.dropLast()), SchemeSamples.body + [0x0A], []] {
                #expect(try SchemeSamples.verify(scheme, [secret], headers, body: body).code == .signatureMismatch)
            }
        }
    }

    @Test("a changed signature is refused, whichever of its bits it is", arguments: schemes)
    func flippedSignature(_ scheme: SignatureScheme) throws {
        for secret in SchemeSamples.secrets(scheme) {
            let headers = try SchemeSamples.signed(scheme, [secret])
            let value = try #require(headers[scheme.header])
            let (lead, signature, trail) = try split(value, scheme)
            for bit in 0..<signature.count * 8 {
                var changed = signature
                changed[bit / 8] ^= 1 << (bit % 8)
                let encoded = scheme.encoding == .hex ? Hex.encode(changed) : Base64.encode(changed)
                var forged = headers
                forged.set(scheme.header, lead + encoded + trail)
                #expect(try SchemeSamples.verify(scheme, [secret], forged).code == .signatureMismatch)
            }
            for shorter in [Array(signature.dropLast()), Array(signature.prefix(1)), signature + [0]] {
                var forged = headers
                let encoded = scheme.encoding == .hex ? Hex.encode(shorter) : Base64.encode(shorter)
                forged.set(scheme.header, lead + encoded + trail)
                #expect(try SchemeSamples.verify(scheme, [secret], forged).code == .signatureMismatch)
            }
            for wrong in ["", "!", String(repeating: "z", count: 63)] {
                var forged = headers
                forged.set(scheme.header, lead + wrong + trail)
                #expect(try SchemeSamples.verify(scheme, [secret], forged).success == nil)
            }
        }
    }

    /// What stands before the signature, its bytes, and what stands after it.
    private func split(_ value: String, _ scheme: SignatureScheme) throws -> (String, [UInt8], String) {
        let isSignature: (Character) -> Bool = { $0.isASCII && ($0.isLetter || $0.isNumber || "+/=".contains($0)) }
        let runs = value.split(omittingEmptySubsequences: true) { !isSignature($0) }
        let longest = try #require(runs.max { $0.count < $1.count })
        let prefix = scheme.variants.map(\.signaturePrefix).first { longest.hasPrefix($0) && $0.hasSuffix("=") } ?? ""
        let text = longest.dropFirst(prefix.count)
        let decoded = scheme.encoding == .hex ? Hex.decode(text) : Base64.decode(text)
        return (String(value[..<text.startIndex]), try #require(decoded), String(value[text.endIndex...]))
    }

    @Test("a signed time outside the tolerance is refused, and the skew is said", arguments: schemes)
    func replay(_ scheme: SignatureScheme) throws {
        let secrets = SchemeSamples.secrets(scheme)
        let headers = try SchemeSamples.signed(scheme, secrets)
        for offset: Int64 in [-300, -299, 0, 299, 300] {
            #expect(try SchemeSamples.verify(scheme, secrets, headers, now: SchemeSamples.now + offset).success != nil)
        }
        for offset: Int64 in [-1_000_000, -301, 301, 1_000_000] {
            let result = try SchemeSamples.verify(scheme, secrets, headers, now: SchemeSamples.now + offset)
            guard scheme.timestamp != nil else {
                #expect(result.success != nil)
                continue
            }
            guard case .failure(let failure) = result else {
                Issue.record("\(scheme.name) took a timestamp \(offset) s away")
                continue
            }
            #expect(failure.code == .timestampOutOfTolerance)
            #expect(failure.skewSeconds == -offset)
            #expect(failure.detail.contains("\(abs(offset)) s \(offset < 0 ? "ahead of" : "behind")"))
            #expect(failure.detail.contains("300 s"))
        }
    }

    @Test("a changed timestamp is refused, however small the change", arguments: schemes.filter { $0.timestamp != nil })
    func changedTimestamp(_ scheme: SignatureScheme) throws {
        let secrets = SchemeSamples.secrets(scheme)
        let headers = try SchemeSamples.signed(scheme, secrets)
        for (written, forged) in [("1700000000", "1700000001"), ("1700000000", "01700000000")] {
            let changed = HeaderFields(
                headers.fields.map { field in
                    HeaderField(field.name, replacing(field.value, written, forged))
                })
            #expect(try SchemeSamples.verify(scheme, secrets, changed).code == .signatureMismatch)
        }
        for forged in ["", "-1700000000", "+1700000000", "1700000000.0", "17000000000000000000", "0x6553f100"] {
            let changed = HeaderFields(
                headers.fields.map { field in
                    HeaderField(field.name, replacing(field.value, "1700000000", forged))
                })
            #expect(try SchemeSamples.verify(scheme, secrets, changed).success == nil, "\(forged)")
        }
    }

    private func replacing(_ text: String, _ one: String, _ other: String) -> String {
        guard let range = text.firstRange(of: one) else { return text }
        return text[..<range.lowerBound] + other + text[range.upperBound...]
    }

    @Test("each header must be there once", arguments: schemes)
    func headerCounts(_ scheme: SignatureScheme) throws {
        let secrets = SchemeSamples.secrets(scheme)
        let headers = try SchemeSamples.signed(scheme, secrets)
        for name in scheme.headers {
            let without = HeaderFields(headers.fields.filter { $0.name != name })
            let isTimestamp = scheme.timestamp?.place == .header(name)
            #expect(
                try SchemeSamples.verify(scheme, secrets, without).code
                    == (isTimestamp ? .timestampMissing : .signatureMissing))

            var empty = headers
            empty.set(name, "")
            #expect(try SchemeSamples.verify(scheme, secrets, empty).success == nil)

            var twice = headers
            twice.append(name.uppercased(), try #require(headers[name]))
            #expect(try SchemeSamples.verify(scheme, secrets, twice).code == .signatureRepeated)
        }
    }

    @Test("headers are known in any case", arguments: schemes)
    func headerCase(_ scheme: SignatureScheme) throws {
        let secrets = SchemeSamples.secrets(scheme)
        let headers = try SchemeSamples.signed(scheme, secrets)
        let upper = HeaderFields(headers.fields.map { HeaderField($0.name.uppercased(), $0.value) })
        #expect(try SchemeSamples.verify(scheme, secrets, upper).success != nil)
    }

    @Test(
        "a secret is rotated: each of several verifies, and where a header can carry both, both sign",
        arguments: schemes)
    func rotation(_ scheme: SignatureScheme) throws {
        let old = SchemeSamples.secrets(scheme, seed: 1)
        let new = SchemeSamples.secrets(scheme, seed: 2)
        let other = SchemeSamples.secrets(scheme, seed: 3)
        let signedOld = try SchemeSamples.signed(scheme, old)
        #expect(try SchemeSamples.verify(scheme, new + old, signedOld).get().secretName == "SECRET_1")
        #expect(try SchemeSamples.verify(scheme, new + other, signedOld).code == .signatureMismatch)

        let signedBoth = try SchemeSamples.signed(scheme, new + old)
        #expect(try SchemeSamples.verify(scheme, new, signedBoth).get().secretName == "SECRET_2")
        let byOld = try SchemeSamples.verify(scheme, old, signedBoth)
        #expect(scheme.carriesSeveralSignatures ? byOld.success != nil : byOld.code == .signatureMismatch)
    }

    @Test("an empty or missing secret is refused, and no refusal shows a secret", arguments: schemes)
    func secrets(_ scheme: SignatureScheme) throws {
        #expect(throws: SignatureError.self) { try SchemeSamples.verify(scheme, [], [:]) }
        for variant in scheme.variants {
            for value in ["", variant.keyPrefix] {
                let secret = NamedSecret(name: "EMPTY", value: value)
                #expect(throws: SignatureError.self) { try SignatureSigner(scheme: scheme, secrets: [secret]) }
            }
            guard variant.keyEncoding != .utf8 else { continue }
            let secret = NamedSecret(name: "LONDON", value: variant.keyPrefix + "*hunter2*")
            let error = #expect(throws: SignatureError.self) { try SchemeSamples.verify(scheme, [secret], [:]) }
            #expect(error?.secretName == "LONDON")
            #expect(error?.description.contains("LONDON") == true)
            #expect(error?.description.contains("hunter2") == false)
        }
    }
}
