internal import Configuration
internal import Console
internal import Ingest
internal import Signatures
internal import Synchronization

/// The sources of a running instance, for those who ask where an event came from.
final class SourceBoard: Sendable {
    private let current = Mutex<[SourceFacts]>([])

    var facts: [SourceFacts] { current.withLock { $0 } }

    /// Takes note of what is at work now.
    func adopt(_ configuration: Configuration) {
        let facts = configuration.sourceFacts
        current.withLock { $0 = facts }
    }
}

extension Configuration {
    /// How its sources prove where requests come from; names of secrets, never their values.
    var sourceFacts: [SourceFacts] {
        sources.map { source in
            let credentials = credentials[source.name] ?? SourceCredentials()
            var ways: [String] = []
            if let scheme = credentials.scheme, !credentials.secrets.isEmpty { ways.append("signature \(scheme.name)") }
            for header in credentials.headers { ways.append("header \(header.name)") }
            let secrets = credentials.secrets + credentials.headers.flatMap(\.values)
            return SourceFacts(
                name: source.name, keySpace: source.keySpace,
                verification: ways.isEmpty ? "nothing (verify: none)" : ways.joined(separator: " and "),
                secrets: secrets.map(\.name))
        }
    }
}
