import Foundation
import HTTPTypes

/// An integration of Sine's as its page describes it ("Webhook Integrations Setup"): a check-in waits for the answer,
/// and anything but a timely 200 aborts it.
package struct FakeSine: Sendable {
    package var port: Int
    package var path: String
    /// The API key that goes with every request in `x-sine-auth`; nil: none.
    package var key: String?
    /// How long a check-in waits. The page names no time.
    package var patience = Duration.seconds(5)
    /// The integration's own rejection message, in which `%EXTERNAL_REJECTION_MESSAGE%` stands for the answer's.
    package var rejectionMessage = ""

    package init(port: Int, path: String, key: String?) {
        self.port = port
        self.path = path
        self.key = key
    }

    /// "Check-in Request": the visitor stands at the door until it is answered.
    ///
    /// - Parameters:
    ///   - attempt: a visitor who tries again sends another date.
    ///   - event: the name of "Check-in Request with Details" is not published.
    ///   - withheld: bytes of the request that never arrive.
    package func checkIn(
        _ visitor: DoorVisitor, attempt: Int = 0, event: String = "signin_before", withheld: Int = 0
    ) -> DoorVisit {
        var request = request(body(event, visitor, attempt))
        request.withheld = withheld
        let reply = request.send(within: patience)
        return DoorVisit(outcome: outcome(reply), reply: reply)
    }

    /// Any other event: it is told, and nobody waits at a door. Whether it arrived is whether it was answered as the page
    /// says.
    package func tell(_ event: String, _ visitor: DoorVisitor, attempt: Int = 0) -> DoorVisit {
        let reply = request(body(event, visitor, attempt)).send(within: .seconds(60))
        return DoorVisit(outcome: outcome(reply), reply: reply)
    }

    package func request(_ body: [UInt8]) -> HookRequest {
        var headers: HeaderFields = ["Content-Type": "application/json", "Accept": "application/json"]
        if let key { headers.append("x-sine-auth", key) }
        return HookRequest(port: port, path: path, headers: headers, body: body)
    }

    package func body(_ event: String, _ visitor: DoorVisitor, _ attempt: Int) -> [UInt8] {
        var data: [String: Any] = [
            "firstName": visitor.firstName, "lastName": visitor.lastName, "email": visitor.email,
            "mobile": "+61400000000", "inviteId": NSNull(), "company": "Acme Co",
            "site": ["id": visitor.site, "name": "Acme Corp"],
            "visitorType": ["id": "d77d4e33-5532-4666-a1ae-e059afd96a48", "name": visitor.group],
        ]
        if event != "signin_before" { data["id"] = "pass-\(visitor.firstName)-\(attempt)" }
        if let note = visitor.note {
            data["formResponses"] = ["responses": [["id": "note", "type": "text", "value": note]]]
        }
        return HookBody.json(["event": event, "date": date(attempt), "data": data, "externalId": "abc-123"])
    }

    private func date(_ attempt: Int) -> String {
        let (minute, second) = (attempt / 60 % 60, attempt % 60)
        return "2024-07-30T01:\(minute < 10 ? "0" : "")\(minute):\(second < 10 ? "0" : "")\(second)Z"
    }

    private func outcome(_ reply: HookReply) -> DoorOutcome {
        guard let answer = reply.answer else {
            if case .broken(let what) = reply.result { return .aborted(what) }
            return .aborted("no answer within \(patience)")
        }
        guard answer.status == 200 else { return .aborted("answered \(answer.status)") }
        guard answer.headers["Content-Type"] == "application/json" else { return .aborted("the answer is no JSON") }
        guard let texts = answer.texts else { return .aborted("the answer cannot be read") }
        switch texts["code"] {
        case "SUCCESS":
            return .admitted(visitorNotes: texts["visitorNotes"], adminNotes: texts["adminNotes"])
        case "REJECTED":
            let message = texts["rejectionMessage"] ?? "You have been rejected by a Sine service."
            return .denied(
                rejectionMessage.isEmpty
                    ? message : rejectionMessage.replacing("%EXTERNAL_REJECTION_MESSAGE%", with: message))
        default: return .aborted("the answer has no code")
        }
    }
}
