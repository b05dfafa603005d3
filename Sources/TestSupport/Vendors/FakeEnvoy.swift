import CCurl
import Foundation
import HTTPTypes

/// An app of Envoy's as its pages describe it ("Approve or deny visitors using hooks"): a 200 lets a visitor in, a 412
/// sends them to manual review, and after 30 s without an answer they are let in.
package struct FakeEnvoy: Sendable {
    package var port: Int
    package var path: String
    /// What requests are signed with; nil: they are not.
    package var secret: String?
    /// How long a synchronous hook waits.
    package var patience = Duration.seconds(30)
    /// What what is told asynchronously waits for before each further try: five, over ten minutes.
    package var retryDelays = [20, 40, 80, 160, 300].map { Duration.seconds($0) }

    package init(port: Int, path: String, secret: String?) {
        self.port = port
        self.path = path
        self.secret = secret
    }

    /// A synchronous `entry_sign_in`: the visitor stands at the door until it is answered.
    ///
    /// - Parameters:
    ///   - job: of the request: a sender that tries again keeps it.
    ///   - withheld: bytes of the request that never arrive.
    package func signIn(_ visitor: DoorVisitor, job: String, withheld: Int = 0) -> DoorVisit {
        var request = request(body("entry_sign_in", visitor, job: job))
        request.withheld = withheld
        let reply = request.send(within: patience)
        return DoorVisit(outcome: outcome(reply), reply: reply)
    }

    /// An asynchronous event, tried again until it is answered by a 2xx.
    ///
    /// - Returns: what came of each try.
    package func tell(_ event: String, _ visitor: DoorVisitor, job: String) -> [HookReply] {
        let request = request(body(event, visitor, job: job))
        var replies: [HookReply] = []
        for delay in [Duration.zero] + retryDelays {
            Thread.sleep(forTimeInterval: delay / .seconds(1))
            let reply = request.send(within: .seconds(60))
            replies.append(reply)
            if let status = reply.answer?.status, (200..<300).contains(status) { break }
        }
        return replies
    }

    package func request(_ body: [UInt8]) -> HookRequest {
        var headers: HeaderFields = ["Content-Type": "application/json"]
        if let secret { headers.append("X-Envoy-Signature", Self.signature(of: body, secret)) }
        return HookRequest(port: port, path: path, headers: headers, body: body)
    }

    package func body(_ event: String, _ visitor: DoorVisitor, job: String) -> [UInt8] {
        var answers = [["field": "Purpose", "value": "Meeting"]]
        if let note = visitor.note { answers.append(["field": "Note", "value": note]) }
        return HookBody.json([
            "meta": [
                "event": event, "plugin_id": "204", "install_id": 3088, "job": ["id": job],
                "location": ["id": visitor.site, "attributes": ["name": "Main Lobby"]],
            ] as [String: Any],
            "payload": [
                "id": "98765432", "type": "entries",
                "attributes": [
                    "full-name": "\(visitor.firstName) \(visitor.lastName)", "email": visitor.email,
                    "flow-name": visitor.group, "signed-in-at": "2024-01-15 10:30:00 UTC", "user-data": answers,
                ] as [String: Any],
            ] as [String: Any],
        ])
    }

    private func outcome(_ reply: HookReply) -> DoorOutcome {
        switch reply.result {
        case .silence: return .admittedBySilence
        case .broken(let what): return .unsettled(what)
        case .answer(let answer):
            switch answer.status {
            case 200: return .admitted()
            case 412: return .review(answer.texts?["message"] ?? "")
            default: return .unsettled("answered \(answer.status)")
            }
        }
    }

    /// Base64 of HMAC-SHA256 over the raw body, straight by OpenSSL.
    private static func signature(of body: [UInt8], _ secret: String) -> String {
        let key = Array(secret.utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        var count = 0
        let made = unsafe EVP_Q_mac(
            nil, "HMAC", nil, "SHA256", nil, key, key.count, body, body.count, &digest, digest.count, &count)
        precondition(unsafe made != nil && count == 32)
        return Data(digest).base64EncodedString()
    }
}
