import Events
import JSON
import Testing
import Vendors

@Suite struct SettingsTests {
    private func sample(_ vendor: String, _ event: String) throws -> String {
        try #require(Vendors.named(vendor)?.events.first { $0.name == event }?.sample)
    }

    @Test("a group of the source's stands where the sender gives none, and only there")
    func group() throws {
        var settings = DecodeSettings(source: "london")
        settings.group = .name("Contractor")
        #expect(
            try Decoded(sample("signinapp", "visitor.signin"), vendor: "signinapp", settings: settings).text(.groupName)
                == "Contractor")
        #expect(
            try Decoded(sample("sine", "signin_after"), vendor: "sine", settings: settings).text(.groupName)
                == "Visitor")
    }

    @Test(
        "a group is read from the notification's URL",
        arguments: [
            ("group=Contractor", "Contractor"), ("a=b&group=Delivery%20Driver", "Delivery Driver"),
            ("group=Delivery+Driver", "Delivery Driver"), ("gr%6Fup=X", "X"), ("group=50%", "50%"),
            ("group=a%3Db=c", "a=b=c"), ("group=one&group=two", "one"), ("group=%F0%9F%8E%AB", "🎫"),
            ("group=%FF", "\u{FFFD}"), ("groups=x", nil), ("group", nil), ("group=", nil), ("", nil),
        ] as [(String, String?)])
    func queryGroup(_ query: String, _ group: String?) throws {
        var settings = DecodeSettings(source: "london")
        settings.group = .query("group")
        let decoded = try Decoded(
            sample("signinapp", "visitor.signin"), vendor: "signinapp", settings: settings, query: query)
        #expect(decoded.text(.groupName) == group)
    }

    @Test("form questions get the names the source gives their ids, and the later answer wins")
    func labels() throws {
        var settings = DecodeSettings(source: "sydney")
        settings.labels = ["00e37f14-7b22-40bd-9be6-cc3b1b35c10e": "Purpose"]
        let signOut =
            #""formResponsesSignOut":{"responses":[{"id":"00e37f14-7b22-40bd-9be6-cc3b1b35c10e","value":"Done"}]}"#
        let payload = try sample("sine", "signout_after").replacing(#""formResponsesSignOut":null"#, with: signOut)
        let decoded = try Decoded(payload, vendor: "sine", settings: settings)
        #expect(decoded.entry("additional", "Purpose") == "Done")
        #expect(decoded.entry("additional", "30db22b9-97f0-4a2c-a673-90430c45ea4a") == "true")
    }

    @Test("a mapping adds to and overrides the sender's own, the first present pointer winning")
    func map() throws {
        var settings = DecodeSettings(source: "london")
        settings.map.fields = [
            (.visitorEmail, [try JSONPointer("/nowhere"), try JSONPointer("/visitor/additional/Email Address")]),
            (.visitorCompany, [try JSONPointer("/visitor/additional/Company"), try JSONPointer("/visitor/name")]),
            (.siteID, [try JSONPointer("/visiting/id")]),
            (.hostRole, [try JSONPointer("/nowhere")]),
        ]
        settings.map.key = [try JSONPointer("/pushed_at")]
        settings.map.time = [try JSONPointer("/nothing"), try JSONPointer("/pushed_at")]
        let decoded = try Decoded(sample("signinapp", "visitor.signin"), vendor: "signinapp", settings: settings)
        #expect(decoded.text(.visitorEmail) == "john.smith@example.com")
        #expect(decoded.text(.visitorCompany) == "Acme Ltd")
        #expect(decoded.text(.siteID) == "8")
        #expect(decoded.text(.hostRole) == "Retail Manager")
        #expect(decoded.event.id == EventID(keySpace: "london", dedupeKey: Array("2020-01-01T12:00:01Z".utf8)))
    }

    @Test("a generic sender is nothing but its mapping")
    func generic() throws {
        var settings = DecodeSettings(source: "custom")
        let payload = #"{"type":"visitor.signin","at":1700000000,"location":{"id":7},"ref":"r-1","who":"Zoë"}"#
        let bare = try Decoded(payload, vendor: "generic", settings: settings)
        #expect(bare.event.type == .other)
        #expect(bare.text(.timeInferred) == "true")
        #expect(bare.text(.visitorName) == nil)

        settings.map.event = [try JSONPointer("/type")]
        settings.map.time = [try JSONPointer("/at")]
        settings.map.key = [try JSONPointer("/ref")]
        settings.map.fields = [(.siteID, [try JSONPointer("/location/id")]), (.visitorName, [try JSONPointer("/who")])]
        let decoded = try Decoded(payload, vendor: "generic", settings: settings)
        #expect(decoded.event.type == .visitorSignin)
        #expect(decoded.event.time.text == "2023-11-14T22:13:20.000Z")
        #expect(decoded.text(.siteID) == "7")
        #expect(decoded.text(.visitorName) == "Zoë")
        #expect(decoded.event.id == EventID(keySpace: "custom", dedupeKey: Array("r-1".utf8)))

        settings.events = ["visitor.signin": .other, "arrived": .visitorSignin]
        #expect(try Decoded(payload, vendor: "generic", settings: settings).event.type == .other)
        let renamed = payload.replacing("visitor.signin", with: "arrived")
        #expect(try Decoded(renamed, vendor: "generic", settings: settings).event.type == .visitorSignin)
    }

    @Test("a signed message id is the dedupe key, unless the mapping names one")
    func messageID() throws {
        var settings = DecodeSettings(source: "custom")
        let payload = #"{"id":"a"}"#
        let signed = try Decoded(payload, vendor: "generic", settings: settings, messageID: "msg_1")
        #expect(signed.event.id == EventID(keySpace: "custom", dedupeKey: Array("msg_1".utf8)))
        settings.map.key = [try JSONPointer("/id")]
        let mapped = try Decoded(payload, vendor: "generic", settings: settings, messageID: "msg_1")
        #expect(mapped.event.id == EventID(keySpace: "custom", dedupeKey: Array("a".utf8)))
    }
}

@Suite struct IdentityTests {
    private func id(_ payload: String, _ vendor: String) throws -> EventID {
        try Decoded(payload, vendor: vendor).event.id
    }

    @Test("a Sign In App retry is the same event though it is pushed at another time")
    func signInAppRetry() throws {
        let sample = try #require(SignInApp().events.first?.sample)
        let retry = sample.replacing(
            #""pushed_at":"2020-01-01T12:00:01Z""#, with: #""pushed_at":"2020-01-01T12:10:00Z""#)
        #expect(retry != sample)
        #expect(try id(sample, "signinapp") == id(retry, "signinapp"))
    }

    @Test("without the sender's key the same bytes are the same event")
    func noKey() throws {
        for key in [#""idempotency_key":null"#, #""idempotency_key":"""#, #""idempotency_key":{}"#] {
            let one = "{\"event\":\"visitor.signin\",\(key),\"visitor\":{\"id\":1}}"
            let other = "{\"event\":\"visitor.signin\",\(key),\"visitor\":{\"id\":2}}"
            #expect(try id(one, "signinapp") == id(one, "signinapp"))
            #expect(try id(one, "signinapp") != id(other, "signinapp"))
        }
    }

    @Test("a person who tries to check in again at Sine is another request")
    func sineRequests() throws {
        let sample = try #require(Sine().events.first { $0.name == "signin_before" }?.sample)
        #expect(try id(sample, "sine") != id(sample.replacing("01:43:34Z", with: "01:44:02Z"), "sine"))
    }

    @Test("Sine's events of one pass are different events, and two passes without an id never the same one")
    func sinePasses() throws {
        #expect(
            try id(#"{"event":"signin_after","date":"d","data":{"id":"p"}}"#, "sine")
                != id(#"{"event":"signout_after","date":"d","data":{"id":"p"}}"#, "sine"))
        #expect(
            try id(#"{"event":"signin_after","date":"d","data":{"firstName":"A"}}"#, "sine")
                != id(#"{"event":"signin_after","date":"d","data":{"firstName":"B"}}"#, "sine"))
    }

    @Test("Envoy's job tells a retry; without one the bytes do")
    func envoyJobs() throws {
        let first = #"{"meta":{"event":"entry_sign_in","job":{"id":5}},"payload":{"id":"1","n":1}}"#
        #expect(try id(first, "envoy") == id(first.replacing(#""n":1"#, with: #""n":2"#), "envoy"))
        let simple = #"{"event":"entry_sign_in","payload":{"id":1,"n":1}}"#
        #expect(try id(simple, "envoy") == id(simple, "envoy"))
        #expect(try id(simple, "envoy") != id(simple.replacing(#""n":1"#, with: #""n":2"#), "envoy"))
    }

    @Test("an id given as a number is the same as the text of its digits")
    func numbersAndTexts() throws {
        #expect(try id(#"{"idempotency_key":42}"#, "signinapp") == id(#"{"idempotency_key":"42"}"#, "signinapp"))
        let number = try Decoded(#"{"site":{"id":42},"visitor":{"id":7}}"#, vendor: "signinapp")
        let text = try Decoded(#"{"site":{"id":"42"},"visitor":{"id":"7"}}"#, vendor: "signinapp")
        #expect(number.event.partitionKey == text.event.partitionKey)
        #expect(number.event.visitorID == text.event.visitorID)
    }

    @Test("Envoy's three ways to write a time are one time")
    func envoyTimes() throws {
        for text in [
            "2024-01-15T10:30:00Z", "2024-01-15 10:30:00", "2024-01-15 10:30:00 UTC", "2024-01-15T11:30:00+01:00",
        ] {
            let payload = #"{"event":"entry_sign_in","payload":{"attributes":{"signed-in-at":"\#(text)"}}}"#
            let decoded = try Decoded(payload, vendor: "envoy")
            #expect(decoded.event.time.text == "2024-01-15T10:30:00.000Z")
            #expect(decoded.text(.visitStartedAt) == "2024-01-15T10:30:00.000Z")
        }
    }

    @Test("a form with more answers than any form has costs no more than the first of them")
    func manyAnswers() throws {
        let answers = (0..<5000).map { #"{"id":"q\#($0)","value":\#($0)}"# }.joined(separator: ",")
        let payload = #"{"event":"signin_after","data":{"formResponses":{"responses":[\#(answers)]}}}"#
        let decoded = try Decoded(payload, vendor: "sine")
        #expect(decoded.entry("additional", "q511") == "511")
        #expect(decoded.entry("additional", "q512") == nil)
        #expect(decoded.original == payload)
    }
}
