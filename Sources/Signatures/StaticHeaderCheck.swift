import Cryptography
package import HTTPTypes

/// Senders that authenticate with fixed header values (Sine's `x-sine-auth`, Netgraph's custom headers).
package struct StaticHeaderCheck: Sendable {
    private struct Expected: Sendable {
        let name: String
        let values: [(name: String, bytes: [UInt8])]
    }

    private let expected: [Expected]

    /// - Parameter headers: each must be there, with one of its values.
    /// - Throws: when nothing would be checked, or a value is empty.
    package init(headers: [(name: String, values: [NamedSecret])]) throws(SignatureError) {
        guard !headers.isEmpty else { throw SignatureError(message: "there is no header to check") }
        var expected: [Expected] = []
        for header in headers {
            guard !header.values.isEmpty else { throw SignatureError(message: "header \(header.name) needs a value") }
            guard header.values.count <= SignatureKey.maximumSecrets else {
                throw SignatureError(
                    message: "header \(header.name) has more than \(SignatureKey.maximumSecrets) values")
            }
            for secret in header.values where secret.value.isEmpty {
                throw SignatureError(secretName: secret.name, message: "is empty")
            }
            expected.append(
                Expected(name: header.name, values: header.values.map { ($0.name, Array($0.value.utf8)) }))
        }
        self.expected = expected
    }

    /// Takes the same time for every wrong value of a length, and compares with all values whichever fits.
    package func verify(headers: HeaderFields) -> Result<VerifiedSignature, SignatureFailure> {
        var secretName = ""
        for header in expected {
            let received = headers.values(header.name)
            guard let first = received.first, !first.isEmpty else {
                return .failure(SignatureFailure(.keyMissing, "header \(header.name) is missing or empty"))
            }
            guard received.count == 1 else {
                return .failure(SignatureFailure(.keyRepeated, "header \(header.name) stands twice"))
            }
            let bytes = Array(first.utf8)
            let matching = header.values.filter { constantTimeEquals($0.bytes, bytes) }
            guard let match = matching.first else {
                return .failure(
                    SignatureFailure(
                        .keyMismatch,
                        "header \(header.name) has another value than configured; compare it with the sender's"))
            }
            if secretName.isEmpty { secretName = match.name }
        }
        return .success(VerifiedSignature(secretName: secretName))
    }
}
