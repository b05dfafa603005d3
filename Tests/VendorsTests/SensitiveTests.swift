import Events
import JSON
import Testing
import Vendors

@Suite struct SensitiveTests {
    static let faces = [
        #"{"template":"FACE","image":"FACE"}"#, #"{"Template":"FACE"}"#, #"{"IMAGE":"FACE","why":"dark"}"#,
        #"{"image":{"data":"FACE"}}"#, #"{"template":["FACE"]}"#, #"{"a":{"b":[{"image":"FACE"}]}}"#,
        #"[{"template":"FACE"}]"#, #""{\"template\":\"FACE\"}""#, #"["FACE"]"#,
        #"{"\u0074emplate":"FACE","im\u0061ge":"FACE"}"#, #"{"subjects":[{"template":"FACE"}]}"#,
    ]

    private func event(_ code: String, _ payload: String) -> String {
        #"{"Id":"1","CorrelationId":"c","EventCode":"\#(code)","Payload":\#(payload),"TimeStamp":1677170830}"#
    }

    @Test(
        "no face gets into the event, whatever Alocity puts it in", arguments: faces,
        ["Template", "InviteSent", "Newer"])
    func withoutFaces(_ payload: String, _ code: String) throws {
        let decoded = try Decoded(event(code, payload), vendor: "alocity")
        #expect(!String(decoding: decoded.event.payload, as: UTF8.self).contains("FACE"))
    }

    @Test("a face is kept in the payload, and only there, where the source says so", arguments: faces)
    func keptFaces(_ payload: String) throws {
        var settings = DecodeSettings(source: "lobby")
        settings.keepsBiometrics = true
        let decoded = try Decoded(event("Template", payload), vendor: "alocity", settings: settings)
        #expect(decoded.original == event("Template", payload))
        let whole = String(decoding: decoded.event.payload, as: UTF8.self)
        let original = try #require(decoded.original)
        #expect(!whole.replacing(original, with: "").contains("FACE"))
    }

    @Test(
        "a mapping cannot take a face out of the payload",
        arguments: ["/Payload/template", "/Payload", "", "/Payload/more", "/Payload/more/0/image"])
    func mappedFaces(_ pointer: String) throws {
        let payload = event("Template", #"{"template":"FACE","more":[{"image":"FACE"}]}"#)
        for field in [EventField.visitorName, .changeBefore, .additional, .faceMatches] {
            var settings = DecodeSettings(source: "lobby")
            settings.map.fields = [(field, [try JSONPointer(pointer)])]
            let decoded = try Decoded(payload, vendor: "alocity", settings: settings)
            #expect(!String(decoding: decoded.event.payload, as: UTF8.self).contains("FACE"))
        }
    }

    @Test("cutting leaves the rest of the payload as it was")
    func theRest() throws {
        let decoded = try Decoded(
            event("Template", #"{ "template" : "FACE" , "quality" : 0.90, "image":"FACE" }"#), vendor: "alocity")
        #expect(decoded.canonical.value(at: try JSONPointer("/data/original/Payload/quality")) != nil)
        #expect(decoded.original?.contains("0.90") == true)
        #expect(decoded.entry("additional", "quality") == "0.90")
    }

    @Test("Sine's fast-track code and Envoy's private notes are left out, unless kept")
    func codes() throws {
        for (vendor, name, secret) in [
            ("sine", "invitation_created", "123456"), ("envoy", "entry_sign_in", "Regular courier"),
        ] {
            let sample = try #require(Vendors.named(vendor)?.events.first { $0.name == name }?.sample)
            let without = try Decoded(sample, vendor: vendor)
            #expect(!String(decoding: without.event.payload, as: UTF8.self).contains(secret))
            var settings = DecodeSettings(source: "lobby")
            settings.keepsBiometrics = true
            #expect(try Decoded(sample, vendor: vendor, settings: settings).original == sample)
        }
    }
}
