/// Why a request was not taken for its sender's own. Never holds a secret, an expected signature or received text.
package struct SignatureFailure: Error, Sendable, Hashable {
    /// Stable: people's scripts rely on the raw values.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        case signatureMissing = "signature_missing"
        case signatureMalformed = "signature_malformed"
        /// A header or a part that may stand once stands twice.
        case signatureRepeated = "signature_repeated"
        case signatureMismatch = "signature_mismatch"
        case timestampMissing = "timestamp_missing"
        case timestampMalformed = "timestamp_malformed"
        case timestampOutOfTolerance = "timestamp_out_of_tolerance"
        case keyMissing = "key_missing"
        case keyRepeated = "key_repeated"
        case keyMismatch = "key_mismatch"
    }

    package let code: Code
    /// What is wrong this time and what to do.
    package let detail: String
    /// The sender's clock less ours, in seconds, where that is the reason.
    package let skewSeconds: Int64?

    package init(_ code: Code, _ detail: String, skewSeconds: Int64? = nil) {
        self.code = code
        self.detail = detail
        self.skewSeconds = skewSeconds
    }
}

/// What a verified request is known to come from.
package struct VerifiedSignature: Sendable, Hashable {
    /// Which of the secrets it was, so that an old one is seen to be no longer used.
    package let secretName: String
    /// The signed id (`webhook-id`), where the scheme has one.
    package let id: String?
    /// The signed time, where the scheme has one; rounded down.
    package let timestampSeconds: Int64?

    package init(secretName: String, id: String? = nil, timestampSeconds: Int64? = nil) {
        self.secretName = secretName
        self.id = id
        self.timestampSeconds = timestampSeconds
    }
}
