import Events
import JSON
import Testing

@testable import Rehearsal

@Suite("Canonical events to try rules on") struct CanonicalEventTests {
    @Test("an event as the log keeps it is taken as it stands, byte by byte")
    func whole() throws {
        for name in EventBuilderTests.samples {
            let event = try builder.sample(name)
            #expect(try builder.event(event.payload).payload == event.payload, "\(name)")
        }
    }

    @Test("what the envelope leaves out is filled in")
    func completed() throws {
        let event = try builder.event(
            Array(#"{"type":"visitor.signin","data":{"source":"london","site":{"id":4567},"visitor":{"id":"7"}}}"#.utf8)
        )
        #expect(event.type == "visitor.signin" && event.id != nil)
        #expect(event.attribute("time") == "2025-01-15T12:00:00.000Z")
        #expect(event.attribute("source") == "/sources/london" && event.attribute("subject") == "visitor/7")
        // Ids are texts.
        #expect(try json(event, "/data/site/id") == "\"4567\"")
    }

    @Test("a change keeps the event's id and everything else")
    func changed() throws {
        let event = try builder.sample("sine/signin_after")
        let other = try builder.event(
            event.payload, changes: changes("group=Contractor", "/company=Umbrella", "additional.x=1"))
        #expect(other.id == event.id && other.type == event.type && other.time == event.time)
        #expect(other.text(.groupName) == "Contractor")
        #expect(try json(other, "/data/original/company") == "\"Umbrella\"")
        #expect(try json(other, "/data/additional/x") == "1")
        #expect(other.text(.visitorName) == event.text(.visitorName))
        #expect(other.text(.receivedAt) == event.text(.receivedAt))
    }

    @Test("a change of the site's id joins its site anew")
    func moved() throws {
        let event = try builder.sample("signinapp/visitor.signin")
        #expect(try builder.event(event.payload, changes: changes("site=99")).text(.siteKey) == "annex")
        #expect(try builder.event(event.payload, changes: changes("site=1")).text(.siteKey) == nil)
        #expect(try builder.event(event.payload, changes: changes("group=X")).text(.siteKey) == "hq")
    }

    @Test(
        "what is no canonical event says what is wrong, with the nearest name",
        arguments: [
            ("[]", "JSON object", nil), (#"{"type":"visitor.signin"}"#, "`data`", nil),
            (#"{"data":{}}"#, "`type`", nil),
            (#"{"type":"visitor.singin","data":{}}"#, "no event", "visitor.signin"),
            (#"{"type":"visitor.signin","time":"noon","data":{}}"#, "`time`", nil),
            (#"{"type":"visitor.signin","id":"7","data":{}}"#, "`id`", nil),
            (#"{"type":"visitor.signin","data":{"visitor":{"emial":"x"}}}"#, "no field", "visitor.email"),
            (#"{"type":"visitor.signin","data":{"vistor":{}}}"#, "no field", "visitor"),
            (#"{"type":"visitor.signin","data":{"visitor":7}}"#, "is an object", nil),
            (#"{"type":"visitor.signin","data":{"visitor":{"returning":"yes"}}}"#, "its kind is boolean", nil),
            ("{", "not JSON", nil),
        ] as [(String, String, String?)])
    func wrong(_ text: String, _ message: String, _ suggestion: String?) throws {
        let error = try #require(failure { _ = try builder.event(Array(text.utf8)) })
        #expect(error.message.contains(message), "\(error)")
        #expect(error.suggestion == suggestion)
    }
}
