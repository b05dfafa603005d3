import Foundation
import TestSupport
import Testing

/// Requests of every sender with a canary in the place of every text that says something of people: names, addresses, host,
/// vehicle, photos and signatures, form answers and nested lists, what nobody documented, and names of members too.
enum Canaries {
    static let mark = "kanarie-"
    private static let forms = EncodedForms(mark)

    /// Where canaries are, in whatever form, by what each text is called.
    static func found(in texts: [(name: String, text: String)]) -> [String] {
        texts.flatMap { name, text in forms.found(in: text).map { "\(name): \($0)" } }
    }

    static func isFound(in text: String) -> Bool { !forms.found(in: text).isEmpty }
    static func isFound(in bytes: [UInt8]) -> Bool { !forms.found(in: bytes).isEmpty }

    /// Files below the data folder that hold a canary, by their names.
    static func files(of installation: Installation) -> [String] {
        let folder = installation.path("data")
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return names.filter { name in
            isFound(in: Array(FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()))
        }
    }

    /// One or more of every sender, each an event of its own.
    /// - Parameter key: tells them from those of another call.
    static func requests(_ key: String) throws -> [SentEvent] {
        var number = 0
        return try Sender.allCases.flatMap { sender in
            try payloads(sender).map { payload in
                let body = try planted(payload, key, &number)
                return SentEvent(source: sender.source, body: body, headers: sender.headers(for: body), events: [])
            }
        }
    }

    /// A batch of which one element cannot be decoded.
    static func brokenBatch() -> SentEvent {
        let body = #"[{"type": "signin.session.created", "name": "\#(mark)q"}, {"\#(mark)q": tru, "n": "\#(mark)q"}]"#
        let sender = Sender.netgraph
        return SentEvent(source: sender.source, body: body, headers: sender.headers(for: body), events: [])
    }

    /// What says which event it is, and when, stays.
    private static let kept: Set<String> = [
        "event", "type", "EventCode", "event_at", "pushed_at", "date", "timestamp", "signed-in-at", "TimeStamp",
    ]

    private static func planted(_ payload: String, _ key: String, _ number: inout Int) throws -> String {
        var count = number
        func canary() -> String {
            count += 1
            return "\(mark)\(key)-\(count)@example.com"
        }
        func plant(_ value: Any, _ name: String) -> Any {
            switch value {
            case let object as [String: Any]:
                return Dictionary(
                    uniqueKeysWithValues: object.map { ($0.key == "@" ? canary() : $0.key, plant($0.value, $0.key)) })
            case let list as [Any]: return list.map { plant($0, name) }
            case let text as String where text == "data:":
                return "data:;base64," + Data(canary().utf8).base64EncodedString()
            case is String where !kept.contains(name): return canary()
            default: return value
            }
        }
        let object = try JSONSerialization.jsonObject(with: Data(payload.utf8))
        let data = try JSONSerialization.data(withJSONObject: plant(object, ""))
        number = count
        return String(decoding: data, as: UTF8.self)
    }

    /// Every text in them becomes a canary, and every name `@`.
    private static func payloads(_ sender: Sender) -> [String] {
        switch sender {
        case .signinapp:
            ["visitor.signin", "visitor.signout"].map { event in
                """
                {"event":"\(event)","event_at":"2024-05-01T09:30:00Z","pushed_at":"2024-05-01T09:30:01Z",\
                "idempotency_key":"","site":{"id":4567,"type":"","name":"","timezone":""},\
                "visitor":{"id":"","returning_visitor_id":"","name":"","photo_url":"","badge_url":"","signature":"data:",\
                "additional":{"Company":"","Vehicle":["",["",{"Registration":""}]],"@":""},\
                "personal_fields":{"role":"","E-mail":"","Phone":"","Passport":{"number":"","scan":"data:"},"@":[""]},\
                "is_returning":false,"is_pre_registered":false,"is_remote":false},"unheard_of":{"@":[["data:"]]},\
                "visiting":{"id":8,"name":"","email":"","phone":"","role":""}}
                """
            }
        case .sine:
            [
                #"""
                {"event":"signin_after","date":"2024-07-30T01:53:08Z","externalId":"","data":{"id":"","firstName":"",
                "lastName":"","email":"","mobile":"","company":"","photoUrl":"","status":"","site":{"id":"","name":""},
                "visitorType":{"id":"","name":""},"fastTrackCode":"","vehicleRegistration":"",
                "host":{"id":"","firstName":"","lastName":"","email":"","mobile":"","company":""},
                "formResponses":{"responses":[{"id":"","type":"text","value":""},{"id":"","value":["",{"@":"data:"}]}]}}}
                """#,
                #"""
                {"event":"signin_rejected","date":"2024-07-30T01:53:09Z","data":{"id":"","firstName":"","lastName":"",
                "email":"","rejectionReasons":[{"name":"","reason":""}]}}
                """#,
                #"""
                {"event":"invitation_created","date":"2024-07-30T01:53:10Z","inviteId":"","user":{"id":"","firstName":"",
                "lastName":"","email":""},"visitorInfo":{"firstName":"","lastName":"","email":"","mobile":"","company":"",
                "subject":"","message":""}}
                """#,
            ]
        case .netgraph:
            [
                #"""
                [{"type":"signin.session.created","id":"","timestamp":"2024-07-30T01:49:27.069Z","context":{"id":"","name":""},
                "session":{"id":"","state":""},"guest":{"id":"","name":"","email":"","phone":"","company":"","@":""},
                "host":{"name":"","email":""},"device":{"mac":"","ip":"","hostname":""}}]
                """#,
                #"""
                [{"type":"signin.dhcp.granted","id":"","timestamp":"2024-07-30T01:49:28.069Z","macAddress":"",
                "ipAddress":"","hostname":""},{"type":"signin.configuration.audit","id":"",
                "timestamp":"2024-07-30T01:49:29.069Z","actor":{"id":"","name":"","email":""},"object":"","field":"",
                "before":{"@":["",{"nested":""}]},"after":"data:"}]
                """#,
            ]
        case .alocity:
            [
                #"""
                {"Id":"","AccountId":"","OrganizationId":"","CorrelationId":"","EventCode":"FaceMatched",
                "Payload":{"subjects":["",""],"name":"","@":""},"TimeStamp":1677170830}
                """#,
                #"""
                {"Id":"","AccountId":"","OrganizationId":"","CorrelationId":"","EventCode":"Template",
                "Payload":{"template":"data:","image":"data:","quality":{"note":""}},"TimeStamp":1677170831}
                """#,
            ]
        case .envoy:
            ["entry_sign_in", "entry_blacklist_review"].map { event in
                """
                {"meta":{"event":"\(event)","plugin_id":"","install_id":"","job":{"id":""},"config":{"@":""},\
                "location":{"id":"","attributes":{"name":""}},"company":{"id":"","attributes":{"name":""}}},\
                "payload":{"id":"","type":"entries","attributes":{"full-name":"","email":"","phone-number":"",\
                "host":"","host-email":"","private-notes":"","signed-in-at":"2024-01-15T10:30:00.000Z","flow-name":"",\
                "thumbnails":{"large":"","original":"","small":"data:"},"nda":"data:","legal-docs":[{"name":"","url":""}],\
                "user-data":[{"field":"Vehicle","value":""},{"field":"","value":["",{"@":""}]}],\
                "approval-status":{"status":"","report":[{"name":"","reason":"","@":[""]}]}},\
                "relationships":{"device":{"data":{"id":""}},"employee":{"data":{"id":""}}}}}
                """
            }
        }
    }
}
