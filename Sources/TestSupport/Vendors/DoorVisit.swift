import Foundation
import HTTPTypes

/// A visitor as both senders know one.
package struct DoorVisitor: Sendable {
    package var firstName: String
    package var lastName: String
    package var email: String
    /// What Sine calls the visitor type, and Envoy the flow.
    package var group: String
    package var site: String
    /// What the visitor answered to a question, of any length.
    package var note: String?

    package init(
        _ firstName: String, _ lastName: String = "Doe", email: String = "jane.doe@example.com",
        group: String = "Visitor", site: String = "4567", note: String? = nil
    ) {
        self.firstName = firstName
        self.lastName = lastName
        self.email = email
        self.group = group
        self.site = site
        self.note = note
    }
}

/// What becomes of a visitor at the door, as the sender's page has it.
package enum DoorOutcome: Sendable, Hashable {
    case admitted(visitorNotes: String? = nil, adminNotes: String? = nil)
    /// Not let in; what the screen shows.
    case denied(String)
    /// Somebody is to look at it; what they read.
    case review(String)
    /// The check-in was given up, and nobody is let in.
    case aborted(String)
    /// The sender waited long enough and lets the visitor in.
    case admittedBySilence
    /// The sender's page does not say what it does then: it may let the visitor in.
    case unsettled(String)

    /// Whether the visitor is in, or may be.
    package var mayBeIn: Bool {
        switch self {
        case .admitted, .admittedBySilence, .unsettled: true
        case .denied, .review, .aborted: false
        }
    }
}

/// One hook of a visitor and what came of it.
package struct DoorVisit: Sendable, CustomStringConvertible {
    package var outcome: DoorOutcome
    package var reply: HookReply

    /// Whether the sender's patience was over before the answer was there.
    package var isLate: Bool { reply.result == .silence }
    package var isAnswered: Bool { reply.answer != nil }
    /// Status, content type and body; or why there is none.
    package var description: String {
        switch reply.result {
        case .answer(let answer): "\(answer.status) \(answer.headers["Content-Type"] ?? "-") \(answer.text)"
        case .silence: "silence"
        case .broken(let what): what
        }
    }
}

extension HookAnswer {
    /// The body as a JSON object of texts; nil when it is anything else.
    var texts: [String: String]? {
        (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: String]
    }
}

enum HookBody {
    static func json(_ object: [String: Any]) -> [UInt8] {
        guard
            let data = try? JSONSerialization.data(
                withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        else { fatalError("a hook's body is no JSON") }
        return Array(data)
    }
}
