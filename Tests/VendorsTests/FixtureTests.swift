import Events
import JSON
import Testing
import Vendors

@Suite struct FixtureTests {
    @Test("every sender has fixtures, and every documented event one of them")
    func coverage() throws {
        for vendor in Vendors.all where !vendor.events.isEmpty && vendor.name != "generic" {
            let seen = try Set(
                Fixture.all.filter { $0.vendor == vendor.name }.map { fixture in
                    try Decoded(fixture.payload, vendor: vendor).event.type
                })
            let documented = Set(vendor.events.map(\.type))
            #expect(documented.subtracting(seen).isEmpty, "\(vendor.name)")
        }
    }

    @Test("a payload becomes the canonical event beside it", arguments: Fixture.all)
    func golden(_ fixture: Fixture) throws {
        let vendor = try #require(Vendors.named(fixture.vendor))
        let decoded = try Decoded(fixture.payload, vendor: vendor)
        let expected = try JSONParser().parse(fixture.expected)
        let got = decoded.canonical
        #expect(
            isSame(got, got.root, expected, expected.root, without: "original"),
            "\(String(decoding: decoded.event.payload, as: UTF8.self))")
    }

    @Test("the payload is kept byte for byte where nothing in it is sensitive", arguments: Fixture.all)
    func original(_ fixture: Fixture) throws {
        let vendor = try #require(Vendors.named(fixture.vendor))
        let decoded = try Decoded(fixture.payload, vendor: vendor)
        let received = String(decoding: decoded.tape.bytes[decoded.tape.span(decoded.tape.root)], as: UTF8.self)
        if decoded.draft.removals.isEmpty {
            #expect(decoded.original == received)
        } else {
            #expect(!vendor.sensitiveMembers.isEmpty)
            #expect((decoded.original?.utf8.count ?? .max) < received.utf8.count)
        }
    }
}
