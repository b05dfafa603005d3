import Cryptography
import HTTPTypes
import Signatures
import Testing

/// What real headers look like between the sender and us.
@Suite struct HeaderShapeTests {
    private let secrets = [NamedSecret(name: "LONDON_SECRET", value: "MySharedSecret")]

    private func signature(_ scheme: SignatureScheme) throws -> String {
        let value = try #require(try SchemeSamples.signed(scheme, secrets)[scheme.header])
        let prefix = scheme.variants[0].signaturePrefix
        let range = try #require(value.firstRange(of: prefix))
        return String(value[range.upperBound...])
    }

    private func code(_ scheme: SignatureScheme, _ value: String) throws -> SignatureFailure.Code? {
        try SchemeSamples.verify(scheme, secrets, [scheme.header: value]).code
    }

    @Test(
        "Alocity's two parts may be separated by anything plausible",
        arguments: [",", ", ", " , ", ";", "; ", " ;", " ", "  ", "\t", ",,", ",;"])
    func alocitySeparators(_ separator: String) throws {
        let signature = try signature(.alocity)
        #expect(try code(.alocity, "t:1700000000\(separator)sig:\(signature)") == nil)
        #expect(try code(.alocity, " sig:\(signature)\(separator)t:1700000000 ") == nil)
    }

    @Test("a base64 signature keeps the separators it holds itself")
    func base64Padding() throws {
        let signature = try signature(.alocity)
        #expect(signature.hasSuffix("="))
        #expect(try code(.alocity, "t:1700000000,sig:\(signature.dropLast())") == .signatureMalformed)
    }

    @Test("keys inside the header are known in their own case only")
    func keyCase() throws {
        let signature = try signature(.signinapp)
        #expect(try code(.signinapp, "t=1700000000,S1=\(signature)") == .signatureMalformed)
        #expect(try code(.signinapp, "T=1700000000,s1=\(signature)") == .timestampMissing)
        #expect(try code(.signinapp, "t=1700000000,s1=\(signature.uppercased())") == nil)
    }

    @Test("one valid signature among several is enough, and unknown parts are skipped")
    func several() throws {
        let signature = try signature(.stripe)
        let wrong = String(repeating: "0", count: 64)
        #expect(try code(.stripe, "t=1700000000,v1=\(wrong),v1=\(signature),v0=old") == nil)
        #expect(try code(.stripe, "t=1700000000,v1=nonsense,v1=\(signature)") == nil)
        #expect(try code(.stripe, "t=1700000000,v1=\(wrong),v1=\(wrong)") == .signatureMismatch)
        #expect(try code(.stripe, "t=1700000000,v0=\(signature)") == .signatureMalformed)
        #expect(try code(.stripe, "t=1700000000,v1=nonsense") == .signatureMalformed)
    }

    @Test("a timestamp that stands twice in the header is refused")
    func repeatedTimestamp() throws {
        let signature = try signature(.signinapp)
        #expect(try code(.signinapp, "t=1700000000,s1=\(signature)") == nil)
        #expect(try code(.signinapp, "t=1700000000,t=1700000000,s1=\(signature)") == .signatureRepeated)
        #expect(try code(.signinapp, "t=1700000000,s1=\(signature),t=1") == .signatureRepeated)
    }

    @Test("two headers that a proxy joined into one are no better than two")
    func joined() throws {
        let value = try #require(try SchemeSamples.signed(.signinapp, secrets)["x-signinapp-webhook-signature"])
        #expect(try code(.signinapp, "\(value), \(value)") == .signatureRepeated)
        let whole = try #require(try SchemeSamples.signed(.github, secrets)["X-Hub-Signature-256"])
        #expect(try code(.github, "\(whole), \(whole)") == .signatureMalformed)
    }

    @Test("no more than sixteen signatures and 8 KiB of header are looked at")
    func bounds() throws {
        let signature = try signature(.stripe)
        let wrong = String(repeating: "0", count: 64)
        func header(_ count: Int) -> String {
            "t=1700000000" + String(repeating: ",v1=\(wrong)", count: count) + ",v1=\(signature)"
        }
        #expect(try code(.stripe, header(15)) == nil)
        #expect(try code(.stripe, header(16)) == .signatureMismatch)
        let long = "t=1700000000,v1=\(signature),v0=" + String(repeating: "0", count: 8192)
        #expect(try code(.stripe, long) == .signatureMalformed)
    }

    @Test(
        "headers made to break a parser are refused",
        arguments: [
            "=", ",", "t=", "t=,s1=", "s1", "s1=", "t=1700000000", "\u{0}", "t=1700000000,s1=\u{0}",
            String(repeating: ",", count: 8000), String(repeating: "t=", count: 4000), "t=１７０００,s1=00", "👩‍👩‍👧‍👦",
        ])
    func hostile(_ value: String) throws {
        for scheme in SignatureSchemes.all {
            var headers: HeaderFields = ["webhook-id": "msg_1", "webhook-timestamp": "1700000000"]
            headers.append("X-Slack-Request-Timestamp", "1700000000")
            headers.append(scheme.header, value)
            let secret = SchemeSamples.secrets(scheme)
            #expect(try SchemeSamples.verify(scheme, secret, headers).success == nil)
        }
    }

    @Test("no refusal says a secret, an expected signature or anything received")
    func details() throws {
        let signature = try signature(.signinapp)
        for value in ["t=1700000000,s1=\(String(repeating: "0", count: 64))", "t=<script>,s1=\(signature)", "<script>"]
        {
            guard
                case .failure(let failure) = try SchemeSamples.verify(
                    .signinapp, secrets, ["x-signinapp-webhook-signature": value])
            else {
                Issue.record("\(value) was taken")
                continue
            }
            #expect(!failure.detail.isEmpty)
            for secret in ["MySharedSecret", signature, "script"] { #expect(!failure.detail.contains(secret)) }
        }
        let secret = secrets[0]
        #expect("\(secret) \(String(reflecting: secret)) \(secrets)".contains("LONDON_SECRET"))
        #expect(!"\(secret) \(String(reflecting: secret)) \(secrets) \(dumped(secret))".contains("MySharedSecret"))
    }

    private func dumped(_ value: some Any) -> String {
        var text = ""
        dump(value, to: &text)
        return text
    }
}

@Suite struct StaticHeaderTests {
    private func check() throws -> StaticHeaderCheck {
        try StaticHeaderCheck(headers: [
            ("x-sine-auth", [NamedSecret(name: "NEW", value: "s3cret"), NamedSecret(name: "OLD", value: "0ld")]),
            ("x-site", [NamedSecret(name: "SITE", value: "adelaide")]),
        ])
    }

    @Test("every header must have one of its values")
    func values() throws {
        let check = try check()
        #expect(try check.verify(headers: ["X-Sine-Auth": "s3cret", "x-site": "adelaide"]).get().secretName == "NEW")
        #expect(try check.verify(headers: ["x-sine-auth": "0ld", "x-site": "adelaide"]).get().secretName == "OLD")
        #expect(check.verify(headers: ["x-sine-auth": "S3cret", "x-site": "adelaide"]).code == .keyMismatch)
        #expect(check.verify(headers: ["x-sine-auth": "s3cret", "x-site": "perth"]).code == .keyMismatch)
        #expect(check.verify(headers: ["x-sine-auth": "s3cret"]).code == .keyMissing)
        #expect(check.verify(headers: ["x-sine-auth": "", "x-site": "adelaide"]).code == .keyMissing)
        #expect(
            check.verify(headers: ["x-sine-auth": "s3cret", "X-SINE-AUTH": "s3cret", "x-site": "adelaide"]).code
                == .keyRepeated)
    }

    @Test("a check that would check nothing is refused")
    func empty() {
        #expect(throws: SignatureError.self) { try StaticHeaderCheck(headers: []) }
        #expect(throws: SignatureError.self) { try StaticHeaderCheck(headers: [("x-sine-auth", [])]) }
        #expect(throws: SignatureError.self) {
            try StaticHeaderCheck(headers: [("x-sine-auth", [NamedSecret(name: "KEY", value: "")])])
        }
    }
}
