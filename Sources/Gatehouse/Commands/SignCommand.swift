internal import Configuration
internal import Events
internal import HTTPTypes
internal import Signatures
internal import YAML

struct SignCommand: Command {
    let name = "sign"
    let summary = "prints the signature headers for a body"
    let synopsis = "(--scheme NAME --secret SECRET | -c FILE --source S) [OPTIONS] [FILE]"
    let options: [Option] = [
        .value("scheme", "NAME", "one of \(SignatureSchemes.all.map(\.name).joined(separator: ", "))"),
        .value("secret", "SECRET", "the key; repeat it for a rotation", isRepeatable: true),
        .value("source", "NAME", "as this source's sender signs"), .configuration,
        .value("id", "ID", "the message's id, for schemes that sign one (default msg_1)"),
        .value("timestamp", "SECONDS", "seconds since 1970 (default now)"),
        .value("url", "URL", "the receiver's URL, for schemes that sign it"),
    ]
    let example = "gatehouse sign --scheme standard-webhooks --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw body.json"

    func run(_ arguments: Arguments) throws -> Int32 {
        if arguments.operands.count > 1 { try arguments.requireOperands(1, "") }
        let signer = try signer(arguments)
        let timestamp = try arguments.integer("timestamp", in: 0...(1 << 40)).map(Int64.init)
        let body = try readInput(arguments.operands.first)
        let fields = unsafe body.withUnsafeBytes { bytes in
            unsafe signer.headers(
                body: bytes, id: arguments.value("id") ?? "msg_1", url: arguments.value("url") ?? "",
                timestampSeconds: timestamp ?? Timestamp.now().milliseconds / 1000)
        }
        for field in fields { Terminal.print("\(field.name): \(field.value)") }
        return ExitCode.success
    }

    private func signer(_ arguments: Arguments) throws -> SignatureSigner {
        var scheme: SignatureScheme?
        var secrets = arguments.all("secret").enumerated().map {
            NamedSecret(name: String($0.offset + 1), value: $0.element)
        }
        if let source = arguments.value("source") {
            let configuration = try arguments.loadConfiguration(.running)
            guard let credentials = configuration.credentials[source] else {
                throw CommandFailure("no source is named \(Terminal.harmless(source))")
            }
            scheme = credentials.scheme
            if secrets.isEmpty { secrets = credentials.secrets }
        }
        if let name = arguments.value("scheme") {
            scheme = SignatureSchemes.named(name)
            if scheme == nil {
                let known = SignatureSchemes.all.map(\.name)
                throw UsageError(
                    "there is no scheme \(name)\(didYouMean(name, among: known)), only \(known.joined(separator: ", "))"
                )
            }
        }
        guard let scheme else { throw UsageError("say how to sign with --scheme, or --source with -c") }
        guard !secrets.isEmpty else { throw UsageError("a --secret is missing") }
        do {
            return try SignatureSigner(scheme: scheme, secrets: secrets)
        } catch {
            throw CommandFailure(error.description)
        }
    }
}
