package import Addresses
package import Events
package import FieldPolicies
package import HTTPClient
package import YAML

/// Where a new target begins to read.
package enum StartPosition: Sendable, Hashable {
    case now
    case beginning
    case time(Timestamp)
}

/// The keys that targets of all types share.
package struct TargetSettings: Sendable {
    /// The target's identity.
    package var name: String
    package var type: String
    package var description: String?
    /// Where it stands in the configuration; nil for one that was not read from any.
    package var location: SourceLocation?
    /// Where its `preset:` is named; what that says is told of there.
    var presetLocation: SourceLocation?
    /// A target that is switched off loses nothing: its cursor waits.
    package var enabled = true
    package var start = StartPosition.now
    /// Networks the address guard lets this target reach although it would refuse them.
    package var allow: [IPNetwork] = []
    /// Requests in flight at once.
    package var concurrency = 32
    /// How many requests may begin; nil: as many as go.
    package var rate: RateLimit?
    package var order = DeliveryOrder.none
    /// Nil: each event by itself.
    package var batch: BatchLimits?
    /// For one attempt, connecting included.
    package var timeout = Duration.seconds(30)
    /// Tries of an event that is itself to blame.
    package var attempts = 5
    /// After how long an event that the target is to blame for is given up; nil: never.
    package var giveUpAfter: Duration?
    package var tls = TLSOptions()
    /// False with `original: false`: the sender's own payload stays here.
    package var sendsOriginal = true
    /// What of an event the target is given; nil: all of it.
    package var fieldPolicy: FieldPolicy?
    /// The types of event it is there for; nil: all that routes bring.
    package var events: EventTypeSelection?
    /// True with `biometrics: send`; what no source keeps is never there to be sent.
    package var sendsBiometrics = false
    /// Where receivers acknowledge nothing; nil: what a connection took is finished.
    package var resend: ResendLimits?
    /// By what of an event its receiver knows whose record it is; nil: it keeps no records.
    package var recordKey: RecordKey?
    /// Events of one key that go together become one record.
    package var mergesRecords = false
    /// Which events that routes bring it takes; nil: all of them.
    package var admission: AdmissionSettings?
    /// A hash of the target's configuration with its references resolved, by which a reload tells whether it changed.
    package var fingerprint = ""
    /// What stands in its configuration by `${…}`, so that it is never shown.
    package var references: [ResolvedReference] = []
    /// The configuration as history keeps it; nil for a target that was not read from one.
    package var version: TargetVersion?
    /// What the version leaves out because it may be a secret, by its place.
    package var concealed: [String: ConcealedValue] = [:]

    package init(name: String, type: String) {
        self.name = name
        self.type = type
    }

    /// The guard of every connection this target makes.
    package var addressGuard: AddressGuard { AddressGuard(allow: allow) }
}

/// At most so many requests in any stretch of the period.
package struct RateLimit: Sendable, Hashable {
    package var amount: Int
    package var period: Duration

    package init(amount: Int, period: Duration) {
        self.amount = amount
        self.period = period
    }

    /// `100/s`, `190/10s`, `5/m`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let amount = Self.number(parts[0]), 1...1_000_000 ~= amount,
            let unit = parts[1].last, let seconds = ["s": 1, "m": 60, "h": 3600][unit]
        else { return nil }
        let count = parts[1].dropLast()
        guard let units = count.isEmpty ? 1 : Self.number(count), 1...86_400 ~= units, units * seconds <= 86_400 else {
            return nil
        }
        self.init(amount: amount, period: .seconds(units * seconds))
    }

    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? Int(text) : nil
    }
}

package enum DeliveryOrder: String, Sendable, Hashable, CaseIterable {
    case none
    /// Events of one key one after the other, in the order they came.
    case key
}

/// When events that are sent together go: whichever comes first.
package struct BatchLimits: Sendable, Hashable {
    package var maximumEvents = 100
    /// Of the events as they are kept, before they are rendered.
    package var maximumBytes = 1 << 20
    package var every = Duration.seconds(5)

    package init() {}
}
