package import Addresses
package import FieldPolicies
package import Signatures
package import Vendors

/// How a request proves that it comes from its sender. Everything that is set must hold; nothing set means
/// `verify: none`, said outright in the configuration.
package struct SourceAuthentication: Sendable {
    /// Fixed header values.
    package var headers: StaticHeaderCheck?
    /// A signature over the raw bytes.
    package var signature: SignatureVerifier?
    package var signed = SignatureCoverage.body

    package init(
        headers: StaticHeaderCheck? = nil, signature: SignatureVerifier? = nil, signed: SignatureCoverage = .body
    ) {
        self.headers = headers
        self.signature = signature
        self.signed = signed
    }
}

/// Which bytes a signature covers.
package enum SignatureCoverage: Sendable {
    case body
    /// The bytes of the top-level member `Payload` (Alocity, on request).
    case payload
}

/// One configured source, its secrets resolved.
package struct SourceConfiguration: Sendable {
    package var name: String
    package var vendor: any Vendor
    package var authentication: SourceAuthentication
    /// Bytes.
    package var maximumBody: Int
    /// Networks the sender's requests may come from; empty: any.
    package var allow: [IPNetwork]
    package var settings: DecodeSettings
    /// What is kept of what its sender sends; nil: all of it.
    package var fieldPolicy: FieldPolicy?
    /// What event ids are made in: the source's name, or its `dedupe_as:`.
    package var keySpace: String
    /// The zone of events for which neither the sender nor `sites:` has one, such as `Europe/London`.
    package var timezone: String?
    /// A source without an event for longer than this is told of as silent.
    package var expectEvery: Duration?
    /// What is done with requests that wait for a decision.
    package var mode: SourceMode
    /// When a waiting request is answered at the latest; nil: as the sender's traits say.
    package var deadline: Duration?

    package init(
        name: String, vendor: any Vendor, authentication: SourceAuthentication, maximumBody: Int,
        allow: [IPNetwork] = [], settings: DecodeSettings, keySpace: String? = nil,
        timezone: String? = nil, expectEvery: Duration? = nil, mode: SourceMode? = nil, deadline: Duration? = nil
    ) {
        self.name = name
        self.vendor = vendor
        self.authentication = authentication
        self.maximumBody = maximumBody
        self.allow = allow
        self.settings = settings
        self.keySpace = keySpace ?? name
        self.timezone = timezone
        self.expectEvery = expectEvery
        self.mode = mode ?? SourceMode(defaultOf: vendor)
        self.deadline = deadline
    }
}
