package import Events
package import HTTPTypes
package import JSON
package import Signatures

/// A sender's dialect: how its events are read, how it is answered, and what it sends (for the simulator and the
/// tests). One file a sender, and one line in `Vendors.all`.
package protocol Vendor: Sendable {
    /// As the configuration names it, such as `signinapp`.
    var name: String { get }
    var traits: VendorTraits { get }
    /// Every event the sender documents, each with a sample of its payload.
    var events: [VendorEvent] { get }
    /// Members whose values are biometric data or secret codes, at any depth and in any case: cut out of `original`
    /// unless the source keeps them, and never taken into another field by themselves.
    var sensitiveMembers: [StaticString] { get }

    /// Fills the draft from one element of the payload. What it cannot read stays in `original`.
    func decode(_ tape: JSONTape, _ element: JSONIndex, _ settings: DecodeSettings, into draft: inout EventDraft)

    /// The answer that tells the sender that all is well, in its own dialect.
    /// - Parameter type: nil for a batch.
    func acknowledgement(for type: CanonicalType?) -> HTTPResponse

    /// How the sender waits for decisions; nil: it waits for none.
    var waiting: WaitingTraits? { get }

    /// The answer that tells a sender that waits what was decided, in its own dialect.
    func answer(to reply: DecisionReply) -> HTTPResponse

    /// The answer to a request that only asks whether the address is right (`POST /in/<source>/validate`); nil: the
    /// sender has no such request.
    var validationAnswer: HTTPResponse? { get }

    /// The sender's id of the installation that such a request is about, as it stands there; nil: it names none.
    func installation(_ tape: JSONTape, _ element: JSONIndex) -> String?
}

extension Vendor {
    package var sensitiveMembers: [StaticString] { [] }
    package var validationAnswer: HTTPResponse? { nil }
    package func installation(_ tape: JSONTape, _ element: JSONIndex) -> String? { nil }
    package var waiting: WaitingTraits? { nil }
    package func answer(to reply: DecisionReply) -> HTTPResponse { acknowledgement(for: .visitorSigninRequested) }
}

/// What is known of a sender beside its payloads.
package struct VendorTraits: Sendable {
    package var authentication: VendorAuthentication
    /// Seconds a signed timestamp may be away from now, unless the source says otherwise.
    package var toleranceSeconds: Int
    /// Bytes, unless the source says otherwise.
    package var maximumBody: Int
    /// Whether a body may be a list of events.
    package var batches: Bool
    /// Seconds between the tries of one delivery, first the wait after the first try.
    package var retryDelaysSeconds: [Double]
    /// Whether any 2xx acknowledges; otherwise exactly 200.
    package var takesAnySuccess: Bool
    /// Addresses the sender says it sends from. An optional allow-list, never the only check.
    package var sourceAddresses: [String]

    package init(
        authentication: VendorAuthentication, toleranceSeconds: Int = 300, maximumBody: Int = 1 << 20,
        batches: Bool = false, retryDelaysSeconds: [Double] = [], takesAnySuccess: Bool = true,
        sourceAddresses: [String] = []
    ) {
        self.authentication = authentication
        self.toleranceSeconds = toleranceSeconds
        self.maximumBody = maximumBody
        self.batches = batches
        self.retryDelaysSeconds = retryDelaysSeconds
        self.takesAnySuccess = takesAnySuccess
        self.sourceAddresses = sourceAddresses
    }
}

/// How a sender proves who it is, when the source's configuration says nothing else.
package enum VendorAuthentication: Sendable {
    case signature(SignatureScheme)
    /// A fixed key in this header (`api_key:`).
    case apiKey(header: String)
    /// Fixed headers of the user's choice (`headers:`).
    case headers
    /// Whatever `signature:` says.
    case configured
}

/// One event of a sender's catalogue.
package struct VendorEvent: Sendable {
    /// The sender's own name.
    package var name: String
    package var type: CanonicalType
    /// Other names the same event has been seen under.
    package var aliases: [String]
    /// A payload as the sender sends it: one element, JSON in one line.
    package var sample: String
    /// JSON pointers to what is different in every event of this kind: ids and dedupe keys.
    package var identifiers: [String]
    /// JSON pointers to the sample's times.
    package var times: [String]

    /// - Parameter sample: line breaks and the space that indents lines are left out.
    package init(
        _ name: String, _ type: CanonicalType, aliases: [String] = [], identifiers: [String] = [],
        times: [String] = [], sample: String
    ) {
        self.name = name
        self.type = type
        self.aliases = aliases
        self.identifiers = identifiers
        self.times = times
        self.sample = sample.split(separator: "\n").map { $0.drop { $0 == " " } }.joined()
    }
}
