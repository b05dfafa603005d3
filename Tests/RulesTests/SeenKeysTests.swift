import Events
import JSON
import Rules
import Testing
import YAML

@Suite("The names of fields that were seen")
struct SeenKeysTests {
    private static func event(_ personal: String, _ additional: String, source: String = "london") throws -> EventView {
        let payload = """
            {"id":"1","type":"visitor.signin","data":{"vendor":"signinapp","source":"\(source)",
             "personal":\(personal),"additional":\(additional)}}
            """
        return try #require(try EventView(parsing: Array(payload.utf8), with: JSONParser()))
    }

    private static func seen() throws -> SeenKeys {
        var keys = SeenKeys()
        keys.note(try event(#"{"Car Reg":"ABC 123","role":null}"#, #"{"NDA signed":"","a.b":1,"\u00e9t\u00e9":[]}"#))
        return keys
    }

    @Test("are those of personal and additional, and no values")
    func noted() throws {
        let keys = try Self.seen()
        #expect(keys.count == 5)
        #expect(keys.contains("Car Reg", in: .personal))
        #expect(!keys.contains("Car Reg", in: .additional))
        #expect(keys.contains("été", in: .additional))
        #expect(!String(decoding: keys.json, as: UTF8.self).contains("ABC 123"))
    }

    @Test("are new once")
    func once() throws {
        var keys = try Self.seen()
        #expect(!keys.note(try Self.event(#"{"role":"x"}"#, "{}")))
        #expect(keys.note(try Self.event(#"{"role":"x"}"#, "{}", source: "oslo")))
        #expect(!keys.note(try Self.event("[]", "null")))
        #expect(keys.count == 6)
    }

    @Test(
        "hint at the one that was meant",
        arguments: [
            ("car reg", "Car Reg"), ("Car  Reg ", "Car Reg"), ("CarReg", "Car Reg"), ("Car Rge", "Car Reg"),
            ("Role", "role"), ("Car Reg", nil), ("Passport", nil), ("", nil), (String(repeating: "r", count: 300), nil),
        ])
    func near(name: String, meant: String?) throws {
        #expect(try Self.seen().nearest(to: name, in: .personal) == meant)
    }

    @Test("hint at the other map")
    func otherMap() throws {
        let keys = try Self.seen()
        #expect(
            keys.hint(for: "Car Reg", in: .additional) == "no event had `Car Reg` in additional; it was in personal")
        #expect(
            keys.hint(for: "nda signed", in: .additional) == "no event had `nda signed` in additional, but `NDA signed`"
        )
        #expect(keys.hint(for: "Car Reg", in: .personal) == nil)
        #expect(keys.hint(for: "Passport", in: .personal) == nil)
    }

    @Test("are bounded, and say nothing of what found no room")
    func bounded() throws {
        var keys = SeenKeys()
        let members = (0..<SeenKeys.most + 50).map { "\"key \($0)\":1" }.joined(separator: ",")
        keys.note(try Self.event("{\"\(String(repeating: "x", count: 201))\":1,\(members)}", "{}"))
        #expect(keys.count == SeenKeys.most)
        #expect(keys.isFull)
        #expect(!keys.contains(String(repeating: "x", count: 201), in: .personal))
        #expect(keys.nearest(to: "KEY 1", in: .personal) == nil)
        #expect(!keys.note(try Self.event(#"{"late":1}"#, "{}")))
    }

    @Test("come back from their file")
    func file() throws {
        var keys = try Self.seen()
        keys.position = "17"
        #expect(SeenKeys(json: keys.json) == keys)
        for text in ["", "[]", "{}", #"{"sources":{"a":1}}"#] { #expect(SeenKeys(json: Array(text.utf8)) == nil) }
    }

    @Test("make checks hint at each place of a rule once")
    func checks() throws {
        let text = """
            conditions: {drivers: {personal: {car reg: {is: present}}}}
            routes:
              - {name: a, when: {condition: drivers}, to: t}
              - {name: b, when: {any: [{condition: drivers}, {not: {additional: {nda signed: "yes"}}}]}, to: t}
              - {name: c, when: {personal: {Passport: x, role: y}}, to: t}
            """
        let environment = RuleEnvironment(sources: [], vendors: [], siteKeys: [], targets: ["t"])
        let files = RuleLoader.read([("r.yaml", Array(text.utf8))], environment: environment)
        #expect(!files.diagnostics.hasErrors, "\(files.diagnostics)")
        var diagnostics = Diagnostics()
        KeyHints.check(files.routes, try Self.seen(), &diagnostics)
        #expect(
            diagnostics.sorted.map(\.message) == [
                "no event had `car reg` in personal, but `Car Reg`",
                "no event had `nda signed` in additional, but `NDA signed`",
            ])
    }
}
