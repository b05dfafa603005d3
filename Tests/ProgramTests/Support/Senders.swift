import Foundation

/// One request of a sender: what is posted, and which canonical events it must become.
struct SentEvent: Sendable {
    struct Canonical: Sendable, Hashable {
        var id: String
        var type: String
        var site: String?
    }

    var source: String
    var body: String
    var headers: [(String, String)]
    var events: [Canonical]

    var path: String { "/in/\(source)" }
}

/// The five senders, written from their pages: their payloads and signatures, by code of the tests' own.
enum Sender: String, CaseIterable, Sendable {
    case signinapp, sine, netgraph, alocity, envoy

    /// Its name under `sources:`.
    var source: String {
        switch self {
        case .signinapp: "london"
        case .sine: "sydney"
        case .netgraph: "guests"
        case .alocity: "faces"
        case .envoy: "lobby"
        }
    }

    /// `sources:` for all of them, their secrets by reference.
    static let configuration = """
        sources:
          london: {vendor: signinapp, secrets: ["${env:LONDON_SECRET}"], group: Contractor}
          sydney: {vendor: sine, api_key: "${env:SYDNEY_KEY}"}
          guests: {vendor: netgraph, headers: {x-portal-token: "${env:GUESTS_TOKEN}"}}
          faces: {vendor: alocity, secrets: ["${env:FACES_SECRET}"]}
          lobby: {vendor: envoy, secrets: ["${env:LOBBY_SECRET}"]}

        """

    /// An event with a key of its own.
    ///
    /// - Parameters:
    ///   - key: what makes it this event; letters, digits and `-`.
    ///   - site: for senders whose samples name one.
    ///   - leaving: a sign-out instead of a sign-in, for senders that tell them apart.
    ///   - elements: events in the request, for the one that batches.
    func event(_ key: String, site: Int = 4567, leaving: Bool = false, elements: Int = 1) -> SentEvent {
        switch self {
        case .signinapp: signInApp(key, site, leaving)
        case .sine: sine(key, site, leaving)
        case .netgraph: netgraph(key, elements)
        case .alocity: alocity(key, site)
        case .envoy: envoy(key, site, leaving)
        }
    }

    private func request(_ body: String, _ events: [SentEvent.Canonical]) -> SentEvent {
        SentEvent(source: source, body: body, headers: headers(for: body), events: events)
    }

    private func canonical(_ key: String, _ type: String, site: Int?) -> SentEvent.Canonical {
        SentEvent.Canonical(
            id: Independent.eventID(source: source, key: key), type: type, site: site.map { String($0) })
    }

    private func signInApp(_ key: String, _ site: Int, _ leaving: Bool) -> SentEvent {
        let event = leaving ? "visitor.signout" : "visitor.signin"
        return request(
            """
            {"event":"\(event)","event_at":"2024-05-01T09:30:00Z","pushed_at":"2024-05-01T09:30:01Z",\
            "idempotency_key":"\(key)","site":{"id":\(site),"type":"standard","name":"Acme Co","timezone":"Europe/London"},\
            "visitor":{"id":1234,"name":"John Smith","photo_url":null,"additional":{"Company":"Acme Ltd"},\
            "personal_fields":{"role":"Director"},"is_returning":false,"is_pre_registered":false,"is_remote":false},\
            "visiting":{"id":8,"name":"Adele Vance","email":"adele.vance@example.com"}}
            """, [canonical(key, event, site: site)])
    }

    private func sine(_ key: String, _ site: Int, _ leaving: Bool) -> SentEvent {
        let (event, date) = (leaving ? "signout_after" : "signin_after", "2024-07-30T01:53:08Z")
        return request(
            """
            {"event":"\(event)","date":"\(date)","data":{"id":"\(key)","firstName":"Jane","lastName":"Doe",\
            "email":"jane.doe@example.com","status":"active","site":{"id":"\(site)","name":"Automation"},\
            "visitorType":{"id":"v1","name":"Visitor"}},"externalId":"abc-123"}
            """, [canonical("\(event)\n\(key)\n\(date)", leaving ? "visitor.signout" : "visitor.signin", site: site)])
    }

    private func netgraph(_ key: String, _ count: Int) -> SentEvent {
        let (event, time) = ("signin.session.created", "2024-07-30T01:49:27.069Z")
        let elements = (0..<count).map { index in
            """
            {"type":"\(event)","id":"\(key)-\(index)","timestamp":"\(time)","context":{"id":"21","name":"Arena"},\
            "session":{"id":"s-1","state":"created"},"guest":{"id":4411,"name":"Robin Berg"}}
            """
        }
        let events = elements.map { element in
            let hash = Independent.hex(Independent.sha256(Array(element.utf8)))
            return canonical("\(event)\n\(time)\n\(hash)", "session.created", site: 21)
        }
        return request("[\(elements.joined(separator: ","))]", events)
    }

    private func alocity(_ key: String, _ site: Int) -> SentEvent {
        request(
            """
            {"Id":"\(key)","AccountId":"a-1","OrganizationId":"\(site)","CorrelationId":"c-1","EventCode":"FaceMatched",\
            "Payload":{"subjects":["4f7b9b0e"]},"TimeStamp":1677170830}
            """, [canonical(key, "face.matched", site: site)])
    }

    private func envoy(_ key: String, _ site: Int, _ leaving: Bool) -> SentEvent {
        request(
            """
            {"meta":{"event":"\(leaving ? "entry_sign_out" : "entry_sign_in")","plugin_id":"204","install_id":3088,\
            "job":{"id":"\(key)"},"location":{"id":"\(site)","attributes":{"name":"Main Lobby"}}},\
            "payload":{"id":"98765432","type":"entries","attributes":{"full-name":"Priya Raman",\
            "email":"priya.raman@example.com","signed-in-at":"2024-01-15T10:30:00.000Z"}}}
            """, [canonical(key, leaving ? "visitor.signout" : "visitor.signin", site: site)])
    }

    /// What the sender proves itself with, at this moment.
    func headers(for body: String, at time: Int = Int(Date().timeIntervalSince1970)) -> [(String, String)] {
        func mac(_ secret: String, _ text: String) -> [UInt8] {
            Independent.hmacSHA256(key: Array(Secrets.environment[secret]!.utf8), Array(text.utf8))
        }
        switch self {
        case .signinapp:
            let signature = Independent.hex(mac("LONDON_SECRET", "\(time).\(body)"))
            return [("x-signinapp-webhook-signature", "t=\(time),s1=\(signature)")]
        case .sine: return [("x-sine-auth", Secrets.environment["SYDNEY_KEY"]!)]
        case .netgraph: return [("x-portal-token", Secrets.environment["GUESTS_TOKEN"]!)]
        case .alocity:
            let signature = Independent.base64(mac("FACES_SECRET", "\(time).\(body)"))
            return [("Alocity-Signature", "t:\(time),sig:\(signature)")]
        case .envoy: return [("X-Envoy-Signature", Independent.base64(mac("LOBBY_SECRET", body)))]
        }
    }
}
