import Foundation
import Testing

extension ProgramTests {
    @Suite("sign") struct SignTests {
        private static let (time, body, id) = ("1614265330", #"{"test": 2432232314}"#, "msg_p5jXN8AQM9LWM0D4loKWxJek")

        @Test("gives the signatures that Standard Webhooks publishes")
        func published() async throws {
            let vectors = [
                ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
                (
                    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
                    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
                ),
            ]
            for (secret, signature) in vectors {
                let outcome = try await sign("standard-webhooks", secret)
                #expect(outcome.status == 0, "\(outcome)")
                #expect(
                    outcome.lines == [
                        "webhook-id: \(Self.id)", "webhook-timestamp: \(Self.time)", "webhook-signature: \(signature)",
                    ])
            }
        }

        @Test("gives what each sender's page says, computed here anew")
        func table() async throws {
            let key = "the secret"
            func mac(_ content: String) -> [UInt8] { Independent.hmacSHA256(key: Array(key.utf8), Array(content.utf8)) }
            func hex(_ content: String) -> String { Independent.hex(mac(content)) }
            func base64(_ content: String) -> String { Independent.base64(mac(content)) }
            let (time, body) = (Self.time, Self.body)
            let table = [
                "signinapp": ["x-signinapp-webhook-signature: t=\(time),s1=\(hex("\(time).\(body)"))"],
                "alocity": ["alocity-signature: t:\(time),sig:\(base64("\(time).\(body)"))"],
                "envoy": ["x-envoy-signature: \(base64(body))"],
                "github": ["x-hub-signature-256: sha256=\(hex(body))"],
                "stripe": ["stripe-signature: t=\(time),v1=\(hex("\(time).\(body)"))"],
                "slack": ["x-slack-signature: v0=\(hex("v0:\(time):\(body)"))", "x-slack-request-timestamp: \(time)"],
                "shopify": ["x-shopify-hmac-sha256: \(base64(body))"],
                "verkada": ["verkada-signature: \(time)|\(hex("\(body)|\(time)"))"],
            ]
            for (scheme, headers) in table {
                let outcome = try await sign(scheme, key)
                let lines = outcome.lines.map { line in
                    let parts = line.split(separator: ":", maxSplits: 1)
                    return parts[0].lowercased() + ":" + parts[1]
                }
                #expect(Set(lines) == Set(headers), "\(scheme): \(outcome)")
            }
        }

        @Test("signs as a source's sender does, with the secrets of the configuration")
        func source() async throws {
            let installation = try Installation(
                targets: Installation.archive, routes: Installation.everythingToArchive, files: ["body": Self.body])
            for sender in [Sender.signinapp, .alocity, .envoy] {
                let outcome = try await installation.gatehouse(
                    "sign", "-c", "gatehouse.yaml", "--source", sender.source, "--timestamp", Self.time, "body")
                let expected = sender.headers(for: Self.body, at: Int(Self.time)!)
                #expect(outcome.lines.count == 1)
                #expect(outcome.lines.first?.lowercased() == expected.map { "\($0.0): \($0.1)" }.first?.lowercased())
            }
        }

        @Test("signs with every secret given, for a rotation, and says which key cannot be one")
        func secrets() async throws {
            let installation = try Installation("", files: ["body": Self.body])
            let two = try await installation.gatehouse(
                "sign", "--scheme", "standard-webhooks", "--secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                "--secret",
                "whsec_" + Independent.base64(Array("another key of some length".utf8)), "--id", "m", "body")
            let line = try #require(two.lines.first { $0.hasPrefix("webhook-signature: ") })
            #expect(line.dropFirst("webhook-signature: ".count).split(separator: " ").count == 2)
            let bad = try await installation.gatehouse(
                "sign", "--scheme", "standard-webhooks", "--secret", "whsec_not base64!", "body")
            #expect(bad.status == 1)
            #expect(!bad.errors.contains("not base64!"), "a secret was printed")
        }

        private func sign(_ scheme: String, _ secret: String) async throws -> Outcome {
            let installation = try Installation("", files: ["body": Self.body])
            return try await installation.gatehouse(
                "sign", "--scheme", scheme, "--secret", secret, "--id", Self.id, "--timestamp", Self.time, "body")
        }
    }
}
