internal import Cryptography
internal import JSON

struct KeysCommand: Command {
    let name = "keys"
    let summary = "makes secrets and keys"
    let synopsis = "generate [KIND] [--json]"
    let options: [Option] = [.json]
    let example = """
        gatehouse keys generate
        gatehouse keys generate ed25519
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
        if arguments.has("json") {
            Terminal.print(bytes: key.json(kind))
        } else {
            Terminal.print("\(kind.secretLabel): \(key.secret)")
            if let shared = key.publicKey { Terminal.print("public: \(shared)") }
        }
        return ExitCode.success
    }

    private static let kinds = KeyKind.allCases.map(\.rawValue).joined(separator: ", ")
}

/// What `keys generate` makes. Nothing of it is kept or logged: what is printed is all there is.
enum KeyKind: String, CaseIterable {
    /// A secret that both sides have: Standard Webhooks' `whsec_`, and good for any other scheme.
    case webhook
    /// Standard Webhooks' pair: `whsk_` signs, `whpk_` verifies.
    case ed25519
    /// The key of `hash:`.
    case hash
    /// A token of the console.
    case token

    struct Key {
        var secret: String
        var publicKey: String?

        func json(_ kind: KeyKind) -> [UInt8] {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("kind", kind.rawValue)
            writer.member("secret", secret)
            writer.member("public", publicKey)
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
                secret: "whsk_" + Base64.encode(random + pair.publicKey),
                publicKey: "whpk_" + Base64.encode(pair.publicKey))
        }
    }
}
