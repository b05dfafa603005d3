package import Addresses
package import Events
package import HTTPClient

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
    /// A target that is switched off loses nothing: its cursor waits.
    package var enabled = true
    package var start = StartPosition.now
    /// Networks the address guard lets this target reach although it would refuse them.
    package var allow: [IPNetwork] = []
    /// Events in flight at once.
    package var concurrency = 32
    /// For one attempt, connecting included.
    package var timeout = Duration.seconds(30)
    /// Tries of an event that is itself to blame.
    package var attempts = 5
    /// After how long an event that the target is to blame for is given up; nil: never.
    package var giveUpAfter: Duration?
    package var tls = TLSOptions()
    /// False with `original: false`: the sender's own payload stays here.
    package var sendsOriginal = true
    /// True with `biometrics: send`; what no source keeps is never there to be sent.
    package var sendsBiometrics = false
    /// A hash of the target's configuration with its references resolved, by which a reload tells whether it changed.
    package var fingerprint = ""

    package init(name: String, type: String) {
        self.name = name
        self.type = type
    }

    /// The guard of every connection this target makes.
    package var addressGuard: AddressGuard { AddressGuard(allow: allow) }
}
