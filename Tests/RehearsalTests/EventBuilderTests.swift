import Events
import JSON
import Rules
import Testing
import Vendors
import YAML

@testable import Rehearsal

@Suite("Events to try rules on") struct EventBuilderTests {
    static let samples = (Vendors.all + [Vendors.own]).flatMap { vendor in
        vendor.events.map { "\(vendor.name)/\($0.name)" }
    }

    // MARK: samples

    @Test("every sample of every sender becomes the canonical event of its type", arguments: samples)
    func everySample(_ name: String) throws {
        let event = try builder.sample(name)
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        let vendor = try #require((Vendors.all + [Vendors.own]).first { $0.name == parts[0] })
        let known = try #require(vendor.events.first { $0.name == parts[1] })
        #expect(event.type == known.type.rawValue)
        #expect(event.text(.vendor) == vendor.name)
        #expect(event.text(.receivedAt) == "2025-01-15T12:00:00.000Z")
        #expect(try builder.sample(name).payload == event.payload)
    }

    @Test("a sample is read as the first source of its sender would, or as the one that `source` names")
    func sources() throws {
        let plain = try builder.sample("signinapp/visitor.signin")
        #expect(plain.text(.source) == "london" && plain.text(.siteKey) == "hq")
        let other = try builder.sample("signinapp/visitor.signin", changes: changes("source=paris"))
        #expect(other.text(.source) == "paris" && other.text(.siteKey) == "annex")
        #expect(other.attribute("source") == "/sources/paris")
        let unconfigured = try builder.sample("envoy/entry_sign_in")
        #expect(unconfigured.text(.source) == "envoy")
    }

    @Test("a sample may be named by its canonical type")
    func canonicalName() throws {
        #expect(try builder.sample("sine/visitor.signout").type == "visitor.signout")
    }

    @Test(
        "a sample that there is not is an error with the nearest name",
        arguments: [
            ("signinap/visitor.signin", "signinapp/visitor.signin"),
            ("signinapp/visitor.singin", "signinapp/visitor.signin"), ("sine/signin_aftr", "sine/signin_after"),
        ])
    func unknownSample(_ name: String, _ near: String) {
        #expect(failure { _ = try builder.sample(name) }?.suggestion == near)
    }

    @Test("a sample without an event says how it is written")
    func incompleteSample() throws {
        let error = try #require(failure { _ = try builder.sample("signinapp") })
        #expect(error.message.contains("VENDOR/EVENT"))
    }

    // MARK: changes

    @Test("a change sets a field as a sender's value of that type would stand there")
    func fields() throws {
        let event = try builder.sample(
            "signinapp/visitor.signin",
            changes: changes(
                "{group: Contractor, visitor: {email: eve@example.com, returning: true, id: 77}}",
                "time=2024-07-30T09:00:00+02:00", "event=visitor.signout", "invitation.attempts=3"))
        #expect(event.type == "visitor.signout")
        #expect(event.attribute("time") == "2024-07-30T07:00:00.000Z")
        #expect(try json(event, "/data/group/name") == "\"Contractor\"")
        #expect(try json(event, "/data/visitor/email") == "\"eve@example.com\"")
        #expect(try json(event, "/data/visitor/returning") == "true")
        #expect(try json(event, "/data/visitor/id") == "\"77\"")
        #expect(try json(event, "/data/invitation/attempts") == "3")
        // The rest stands.
        #expect(try json(event, "/data/visitor/name") == "\"John Smith\"")
        #expect(event.attribute("subject") == "visitor/77")
    }

    @Test("a change sets an entry by its whole key, dots and spaces in it")
    func entries() throws {
        let event = try builder.sample(
            "signinapp/visitor.signin",
            changes: changes(
                #"{additional: {NDA signed: "", a.b: [1, two]}}"#, "personal.role=Host", "additional.Car Reg.=X"))
        #expect(try json(event, "/data/additional/NDA signed") == "\"\"")
        #expect(try json(event, "/data/additional/a.b") == "[1,\"two\"]")
        #expect(try json(event, "/data/additional/Car Reg.") == "\"X\"")
        #expect(try json(event, "/data/additional/Company") == "\"Acme Ltd\"")
        #expect(try json(event, "/data/personal/role") == "\"Host\"")
    }

    @Test("a change of a place in the payload is read by the sender's decoder too")
    func pointers() throws {
        let event = try builder.sample(
            "signinapp/visitor.signin",
            changes: changes("/visitor/name=Ada Lovelace", #"{json: {"/visitor/extra/a~1b": 7}}"#))
        #expect(try json(event, "/data/visitor/name") == "\"Ada Lovelace\"")
        #expect(try json(event, "/data/original/visitor/extra") == #"{"a/b":7}"#)
    }

    @Test("a change of the site's id joins its site anew")
    func sites() throws {
        let moved = try builder.sample("signinapp/visitor.signin", changes: changes("site=99"))
        #expect(moved.text(.siteKey) == "annex")
        // The sender named the site and its zone.
        #expect(moved.text(.siteName) == "Acme Co" && moved.text(.siteTimezone) == "Europe/London")
        let away = try builder.sample("signinapp/visitor.signin", changes: changes("site=nowhere"))
        #expect(away.text(.siteKey) == nil)
        let named = try builder.sample("signinapp/visitor.signin", changes: changes("{site: {id: 99, key: hq}}"))
        #expect(named.text(.siteKey) == "hq")
    }

    @Test("a field is removed by {is: absent}")
    func removal() throws {
        let event = try builder.sample(
            "signinapp/visitor.signin",
            changes: changes("{host: {name: {is: absent}}, personal: {role: {is: absent}}, site: {id: {is: absent}}}"))
        #expect(try json(event, "/data/host/name") == nil)
        #expect(try json(event, "/data/personal/role") == nil)
        #expect(try json(event, "/data/personal/Car Reg") != nil)
        #expect(try json(event, "/data/site/id") == nil && event.text(.siteKey) == nil)
    }

    @Test("null stays null")
    func null() throws {
        let event = try builder.sample("signinapp/visitor.signin", changes: changes("{visitor: {email: null}}"))
        #expect(try json(event, "/data/visitor/email") == "null")
    }

    @Test(
        "a value that the field cannot hold is an error at its place",
        arguments: ["{visitor: {returning: 7}}", "{visitor: {name: [a]}}", "{invitation: {attempts: many}}"])
    func wrongValue(_ set: String) throws {
        let changes = try changes(set)
        let error = try #require(failure { _ = try builder.sample("signinapp/visitor.signin", changes: changes) })
        #expect(error.location?.file == "--set" && error.message.contains("its kind is"))
    }

    // MARK: payloads

    @Test("a payload becomes what its source makes of it, a batch one event an element")
    func payloads() throws {
        let sample = try #require(SignInApp().events.first).sample
        let events = try builder.payload(Array(sample.utf8), source: "paris")
        #expect(events.count == 1 && events[0].text(.source) == "paris")
        let element = try #require(Netgraph().events.first).sample
        let batch = try builder.payload(Array("[\(element),\(element)]".utf8), source: "guests")
        #expect(batch.count == 2)
        let alone = try builder.payload(Array(element.utf8), source: "guests")
        #expect(alone.count == 1 && alone[0].payload == batch[0].payload)
    }

    @Test("a payload of an unknown source, or that is not JSON, says so")
    func wrongPayloads() throws {
        let unknown = try #require(failure { _ = try builder.payload(Array("{}".utf8), source: "londn") })
        #expect(unknown.suggestion == "london")
        let broken = try #require(failure { _ = try builder.payload(Array("{".utf8), source: "london") })
        #expect(broken.message.contains("not JSON"))
    }
}
