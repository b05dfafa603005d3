import Events
import JSON
import Testing
import Vendors

@testable import Targets

@Suite("The content policy")
struct ContentPolicyTests {
    private static let everything = ContentPolicy(includesOriginal: true, includesBiometrics: true)
    private static let ordinary = ContentPolicy(includesOriginal: true, includesBiometrics: false)
    private static let withoutOriginal = ContentPolicy(includesOriginal: false, includesBiometrics: false)

    private static let template =
        #"{"Id": "x", "Payload": { "Template": "QUJD", "quality" : 3, "image":"SU1H" }}"#

    private func faceEvent(_ original: String = template, vendor: String = "alocity") throws -> EventView {
        try Sample.event("face.template", replacing: ["vendor": quoted(vendor)], original: original)
    }

    @Test("leaves an ordinary event as the log keeps it, byte by byte")
    func unchanged() throws {
        let event = try Sample.event()
        #expect(Self.ordinary.payload(of: event) == event.payload)
        #expect(Self.everything.payload(of: event) == event.payload)
        #expect(text(try #require(Self.ordinary.original(of: event))) == Sample.original)
    }

    @Test("takes the original out, and nothing else")
    func original() throws {
        let event = try Sample.event()
        let expected = text(event.payload).replacing(",\"original\":\(Sample.original)", with: "")
        #expect(text(Self.withoutOriginal.payload(of: event)) == expected)
        #expect(Self.withoutOriginal.original(of: event) == nil)
        #expect(!text(Self.withoutOriginal.data(of: event)).contains("original"))
        _ = try JSONParser().parse(Self.withoutOriginal.payload(of: event))
    }

    @Test("takes biometrics that a source kept out of the original, unless they are asked for")
    func biometrics() throws {
        let event = try faceEvent()
        let sent = text(Self.ordinary.payload(of: event))
        #expect(!sent.contains("QUJD") && !sent.contains("SU1H"))
        #expect(sent.contains("quality"))
        _ = try JSONParser().parse(Array(sent.utf8))
        #expect(Self.everything.payload(of: event) == event.payload)
        #expect(!text(try #require(Self.ordinary.original(of: event))).contains("QUJD"))
        #expect(!text(Self.ordinary.data(of: event)).contains("SU1H"))
    }

    @Test(
        "finds biometrics however the members are spelt",
        arguments: [
            #"{"payload":{"TEMPLATE":"QUJD","IMAGE":"SU1H"}}"#, #"{"Payload":{"template":"QUJD"}}"#,
            #"{"PAYLOAD":{"a":1,"Image":{"data":"SU1H"},"b":2}}"#,
            #"{"Payload":{"\u0074emplate":"QUJD","x":null}}"#, #"{"image":"SU1H","Payload":null}"#,
            #"{"Payload":[{"a":[{"template":"QUJD"}]},{"image":"SU1H","b":1}]}"#,
        ])
    func spelling(original: String) throws {
        let sent = Self.ordinary.payload(of: try faceEvent(original))
        #expect(!text(sent).contains("QUJD") && !text(sent).contains("SU1H"))
        _ = try JSONParser().parse(sent)
    }

    @Test("takes them out of additional fields too")
    func additional() throws {
        let event = try Sample.event(
            "face.template", replacing: ["vendor": quoted("alocity"), "additional": #"{"Image":"SU1H","q":3}"#],
            original: "{}")
        #expect(!text(Self.ordinary.payload(of: event)).contains("SU1H"))
        #expect(!text(Self.ordinary.data(of: event)).contains("SU1H"))
    }

    @Test("knows every member that the sender's decoder knows")
    func sameNames() throws {
        let vendor = try #require(Vendors.named("alocity"))
        #expect(vendor.sensitiveMembers.map(\.description) == BiometricMembers.alocity.map(\.description))
    }

    @Test("leaves members of that name alone where they are no biometrics")
    func otherSenders() throws {
        let event = try faceEvent(vendor: "envoy")
        #expect(Self.ordinary.payload(of: event) == event.payload)
        let without = try faceEvent(#"{"Payload":null,"images":"x"}"#)
        #expect(Self.ordinary.payload(of: without) == without.payload)
    }
}
