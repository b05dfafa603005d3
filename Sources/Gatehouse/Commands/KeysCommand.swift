internal import Configuration
internal import Cryptography
internal import JSON

struct KeysCommand: Command {
    let name = "keys"
    let summary = "makes secrets and keys"
    let synopsis = "generate [KIND] [--out FILE] [--json]"
    let options: [Option] = [
        .value("out", "FILE", "write the secret to a new file that only you may read, and do not print it"), .json,
    ]
    let example = """
        gatehouse keys generate
        gatehouse keys generate ed25519 --out partner.key
        """

    func run(_ arguments: Arguments) throws -> Int32 {
        guard arguments.operands.first == "generate" else {
            throw UsageError("say what of them: keys generate [\(Self.kinds)]")
        }
        guard arguments.operands.count <= 2 else {
            throw UsageError("`\(Terminal.harmless(arguments.operands[2]))` is one argument too many")
        }
        let word = arguments.operands.dropFirst().first ?? KeyKind.webhook.rawValue
        guard let kind = KeyKind(rawValue: word) else {
            throw UsageError("there is no kind of key `\(Terminal.harmless(word))`: \(Self.kinds)")
        }
        let key = try kind.generate()
        let file = arguments.value("out")
        if let file { try Self.write(key.secret, to: file) }
        if arguments.has("json") {
            Terminal.print(bytes: key.json(kind, file: file))
        } else {
            Terminal.print("\(kind.secretLabel): \(file.map { "in \(Terminal.harmless($0))" } ?? key.secret)")
            if let shared = key.publicKey { Terminal.print("public: \(shared.text)\n\(shared.pem)") }
        }
        return ExitCode.success
    }

    private static func write(_ secret: String, to file: String) throws(CommandFailure) {
        do throws(FileWritingError) {
            try PrivateFile.create(file, holding: Array("\(secret)\n".utf8))
        } catch {
            throw CommandFailure(
                "\(Terminal.harmless(error.description)); the key goes into a new file, and none was made")
        }
    }

    private static let kinds = KeyKind.allCases.map(\.rawValue).joined(separator: ", ")
}

/// What `keys generate` makes. Nothing of it is kept or logged: what is printed, or written to the file that was asked for,
/// is all there is.
enum KeyKind: String, CaseIterable {
    /// A secret that both sides have: Standard Webhooks' `whsec_`, and good for any other scheme.
    case webhook
    /// Standard Webhooks' pair: `whsk_` signs, `whpk_` verifies.
    case ed25519
    /// The key of `hash:`.
    case hash
    /// A token of the console.
    case token

    struct PublicKey {
        /// Standard Webhooks' `whpk_`.
        var text: String
        /// What OpenSSL and most libraries read (RFC 8410, section 4).
        var pem: String

        /// What stands before the 32 bytes in a SubjectPublicKeyInfo of Ed25519.
        private static let informationPrefix: [UInt8] = [
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
        ]

        init(_ bytes: [UInt8]) {
            text = "whpk_" + Base64.encode(bytes)
            let information = Base64.encode(Self.informationPrefix + bytes)
            pem = "-----BEGIN PUBLIC KEY-----\n\(information)\n-----END PUBLIC KEY-----"
        }
    }

    struct Key {
        var secret: String
        var publicKey: PublicKey?

        /// - Parameter file: where the secret is, which then does not stand here.
        func json(_ kind: KeyKind, file: String?) -> [UInt8] {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("kind", kind.rawValue)
            writer.member("secret", file == nil ? secret : nil)
            writer.member("file", file)
            writer.member("public", publicKey?.text)
            writer.member("public_pem", publicKey.map { $0.pem + "\n" })
            writer.endObject()
            return writer.bytes
        }
    }

    var secretLabel: String { self == .token ? "token" : "secret" }

    func generate() throws -> Key {
        let random = randomBytes(32)
        switch self {
        case .webhook: return Key(secret: "whsec_" + Base64.encode(random))
        case .hash, .token: return Key(secret: Hex.encode(random))
        case .ed25519:
            let pair = try Ed25519PrivateKey(seed: random)
            return Key(
                secret: "whsk_" + Base64.encode(random + pair.publicKey), publicKey: PublicKey(pair.publicKey))
        }
    }
}
