import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("keys generate") struct KeysTests {
        private func key(_ kind: String...) async throws -> [String: Any] {
            let installation = try Installation("{}")
            let outcome = try await installation.gatehouse(words: ["keys", "generate"] + kind + ["--json"])
            #expect(outcome.status == 0, "\(outcome)")
            return try JSON.object(outcome.output)
        }

        @Test("makes secrets that sign, another one every time")
        func secrets() async throws {
            for (kind, prefix, length) in [("webhook", "whsec_", 50), ("hash", "", 64), ("token", "", 64)] {
                let (one, other) = (try await key(kind), try await key(kind))
                let secret = try #require(one["secret"] as? String)
                #expect(secret.hasPrefix(prefix) && secret.count == length && one["public"] is NSNull, "\(kind)")
                #expect(secret != other["secret"] as? String)
            }
            let installation = try Installation("{}", files: ["body": "{}"])
            let plain = try await installation.gatehouse("keys", "generate")
            #expect(plain.lines.count == 1 && plain.output.hasPrefix("secret: whsec_"))
            let secret = String(plain.output.dropFirst("secret: ".count).dropLast())
            let signed = try await installation.gatehouse(
                "sign", "--scheme", "standard-webhooks", "--secret", secret, "body")
            #expect(signed.status == 0 && signed.output.contains("webhook-signature: v1,"), "\(signed)")
        }

        @Test("makes a pair whose public half verifies by OpenSSL what the other half signs")
        func pair() async throws {
            let pair = try await key("ed25519")
            let (secret, shared) = (try #require(pair["secret"] as? String), try #require(pair["public"] as? String))
            #expect(secret.hasPrefix("whsk_") && shared.hasPrefix("whpk_"))
            let body = #"{"visitor":"Zoë"}"#
            let installation = try Installation("{}", files: ["body": body])
            let signed = try await installation.gatehouse(
                "sign", "--scheme", "standard-webhooks", "--secret", secret, "--id", "msg_1", "--timestamp",
                "1614265330",
                "body")
            let line = try #require(signed.lines.first { $0.hasPrefix("webhook-signature: v1a,") }, "\(signed)")
            let signature = try #require(Data(base64Encoded: String(line.dropFirst("webhook-signature: v1a,".count))))
            let key = try #require(Data(base64Encoded: String(shared.dropFirst(5))))
            #expect(key.count == 32)
            let pem = try #require(pair["public_pem"] as? String)
            let middle = pem.split(separator: "\n").dropFirst().first.flatMap { Data(base64Encoded: String($0)) }
            #expect(middle?.suffix(32) == key)
            func write(_ name: String, _ data: Data) throws {
                try data.write(to: URL(filePath: installation.path(name)))
            }
            try write("key.pem", Data(pem.utf8))
            try write("signature", signature)
            for (content, expected) in [("msg_1.1614265330.\(body)", true), ("msg_2.1614265330.\(body)", false)] {
                try write("content", Data(content.utf8))
                let (status, output) = try run(
                    "openssl",
                    [
                        "pkeyutl", "-verify", "-pubin", "-inkey", installation.path("key.pem"), "-rawin",
                        "-in", installation.path("content"), "-sigfile", installation.path("signature"),
                    ])
                #expect((status == 0) == expected, "\(output)")
            }
        }

        @Test("writes the secret to a new file that only its owner may read, and never over another")
        func file() async throws {
            let configuration = """
                targets:
                  partner:
                    type: webhook
                    url: https://partner.example/
                    sign: {scheme: standard-webhooks, secrets: ["${file:partner.key}"]}
                """
            let installation = try Installation(configuration, files: ["there": "mine"])
            let outcome = try await installation.gatehouse("keys", "generate", "ed25519", "--out", "partner.key")
            #expect(outcome.status == 0, "\(outcome)")
            let secret = installation.read("partner.key")
            #expect(secret.hasPrefix("whsk_") && secret.hasSuffix("\n"))
            #expect(
                !outcome.output.contains("whsk_") && outcome.output.hasPrefix("secret: in partner.key\npublic: whpk_"))
            let attributes = try FileManager.default.attributesOfItem(atPath: installation.path("partner.key"))
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try await installation.gatehouse("check").status == 0)

            try FileManager.default.createSymbolicLink(
                atPath: installation.path("link"), withDestinationPath: installation.path("elsewhere"))
            for name in ["partner.key", "there", "link", "no/folder"] {
                let again = try await installation.gatehouse("keys", "generate", "--out", name, "--json")
                #expect(again.status == 1 && again.output.isEmpty && again.errors.contains(name), "\(again)")
            }
            #expect(installation.read("partner.key") == secret && installation.read("there") == "mine")
            #expect(!FileManager.default.fileExists(atPath: installation.path("elsewhere")))

            let listed = try await installation.gatehouse("keys", "generate", "hash", "--out", "hash.key", "--json")
            let object = try JSON.object(listed.output)
            #expect(object["secret"] is NSNull && object["file"] as? String == "hash.key")
            #expect(installation.read("hash.key").utf8.count == 65)
        }

        @Test("says which kinds there are")
        func usage() async throws {
            let installation = try Installation("{}")
            for words in [["keys"], ["keys", "generate", "rsa"], ["keys", "generate", "hash", "again"]] {
                let outcome = try await installation.gatehouse(words: words)
                #expect(outcome.status == 2, "\(outcome)")
            }
            #expect(try await installation.gatehouse("keys", "generate", "rsa").errors.contains("ed25519"))
        }
    }
}
