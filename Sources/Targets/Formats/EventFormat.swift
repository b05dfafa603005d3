import Events

/// A way to write an event as one line: for syslog and files.
package protocol EventFormat: Sendable {
    /// What `format:` says.
    var name: String { get }

    /// How every line begins.
    var lineOpening: String { get }

    /// Whether a line is nothing but the sender's own payload, which syslog never carries.
    var isSendersOwn: Bool { get }

    /// One line of UTF-8 without CR or LF. Depends on nothing but its arguments.
    func render(_ outgoing: OutgoingEvent, _ options: RenderingOptions) throws(RenderingError) -> [UInt8]
}

extension EventFormat {
    package var isSendersOwn: Bool { false }

    /// Whether every line is a JSON object.
    package var isObject: Bool { lineOpening.hasPrefix("{") }
}

package struct RenderingOptions: Sendable, Hashable {
    package var policy: ContentPolicy
    /// Of the machine that reports.
    package var hostname: String
    /// Bytes. The longest texts are shortened until it is kept.
    package var limit: Int?

    package init(policy: ContentPolicy, hostname: String, limit: Int? = nil) {
        self.policy = policy
        self.hostname = hostname
        self.limit = limit
    }
}

/// An event that cannot be written as it should be.
package struct RenderingError: Error, Sendable, Hashable {
    /// For people; holds nothing of the event.
    package var message: String

    package init(_ message: String) {
        self.message = message
    }
}

/// Every format known by name. One more, `template`, is written out where it is used.
package enum Formats {
    package static let all: [any EventFormat] = [
        JSONFormat(),
        CEFFormat(),
        LEEFFormat(),
        OCSFFormat(),
        ECSFormat(),
        CloudEventsFormat(),
        OriginalFormat(),
    ]

    package static func named(_ name: String) -> (any EventFormat)? {
        all.first { $0.name == name }
    }
}
