import Events
import Testing

@testable import Targets

@Suite("The cef format")
struct CEFFormatTests {
    private func render(_ event: EventView, routes: [String] = ["desk", "siem"], limit: Int? = nil) throws -> String {
        let policy = ContentPolicy(includesOriginal: false, includesBiometrics: false)
        let bytes = try CEFFormat().render(
            Sample.outgoing(event, routes: routes), RenderingOptions(policy: policy, hostname: "gate", limit: limit))
        if let limit { #expect(bytes.count <= limit) }
        return try #require(String(validating: bytes, as: UTF8.self))
    }

    private static func leef(_ event: EventView) throws -> [UInt8] {
        let policy = ContentPolicy(includesOriginal: false, includesBiometrics: false)
        return try LEEFFormat().render(
            Sample.outgoing(event), RenderingOptions(policy: policy, hostname: "gate", limit: nil))
    }

    @Test("writes a sign-in as the page has it")
    func signIn() throws {
        let line = try render(try Sample.event())
        #expect(
            line
                == "CEF:0|Gatehouse|Gatehouse|1|visitor.signin|Visitor signed in|3|rt=1577880001000 act=signin "
                + "outcome=success cat=visitor externalId=\(Sample.id) msg=signinapp visitor.signin suser=John Smith "
                + "suid=1234 duser=adele@example.com dvchost=gate cs1=Contractor cs1Label=Visitor group cs2=4567 "
                + "cs2Label=Site id cs3=Acme Co cs3Label=Site name cs4=Adele Vance cs4Label=Host cs5=london "
                + "cs5Label=Source cs6=desk,siem cs6Label=Routes")
    }

    @Test("carries the guest's device, the decision, the reasons and the attempts")
    func otherFields() throws {
        let event = try Sample.event(
            "visitor.rejected",
            replacing: [
                "device": #"{"id":"d1","mac":"00:11:22:33:44:55","ip":"192.0.2.7","hostname":"phone"}"#,
                "decision": #"{"outcome":"deny","message":"Ask at the desk"}"#,
                "visit": #"{"reasons":[{"name":"nda","reason":"No NDA"},{"name":"age"}]}"#,
                "invitation": #"{"attempts":3}"#,
            ])
        let line = try CEFLine(try render(event))
        #expect(line.header == ["0", "Gatehouse", "Gatehouse", "1", "visitor.rejected", "Visitor rejected", "6"])
        #expect(line.fields["src"] == "192.0.2.7")
        #expect(line.fields["smac"] == "00:11:22:33:44:55")
        #expect(line.fields["shost"] == "phone")
        #expect(line.fields["deviceExternalId"] == "d1")
        #expect(line.fields["outcome"] == "deny")
        #expect(line.fields["reason"] == "No NDA; age")
        #expect(line.fields["msg"] == "Ask at the desk")
        #expect(line.fields["cn1"] == "3" && line.fields["cn1Label"] == "Attempts")
    }

    @Test(
        "writes addresses only where they are some, in the forms of its dictionary",
        arguments: [
            ("192.0.2.7", "00-00-5E-00-53-23", "192.0.2.7", nil, "00:00:5E:00:53:23"),
            ("2001:db8::7", "0000.5e00.5323", nil, "2001:db8::7", "00:00:5e:00:53:23"),
            ("192.0.2.7/24", "00005e005323", nil, nil, "00:00:5e:00:53:23"),
            ("fe80::1%eth0", "00:00:5e:00:53:23:77:77", nil, nil, nil), ("x", "00:00:5e:00:53:2g", nil, nil, nil),
            ("1.2.3.4 suser=root", "0:00:5e:00:53:23:0", nil, nil, nil), ("", "", nil, nil, nil),
            ("::ffff:192.0.2.7", "٠٠:٠٠:٥e:٠٠:٥٣:٢٣", nil, "::ffff:192.0.2.7", nil),
        ] as [(String, String, String?, String?, String?)])
    func addresses(ip: String, mac: String, src: String?, ipv6: String?, smac: String?) throws {
        let event = try Sample.event(replacing: ["device": "{\"ip\":\(quoted(ip)),\"mac\":\(quoted(mac))}"])
        let cef = try CEFLine(render(event)).fields
        #expect(cef["src"] == src && cef["c6a2"] == ipv6 && cef["smac"] == smac)
        #expect(cef["c6a2Label"] == ipv6.map { _ in "Source IPv6 Address" })
        let leef = try LEEFLine(text(Self.leef(event))).fields
        #expect(leef["src"] == src ?? ipv6 && leef["srcMAC"] == smac)
    }

    @Test("names who changed a configuration")
    func audit() throws {
        let event = try Sample.event(
            "configuration.audited",
            replacing: ["actor": #"{"id":"7","name":"Root"}"#, "visitor": "{}", "change": #"{"field":"ssid"}"#])
        let line = try CEFLine(try render(event))
        #expect(line.fields["suser"] == "Root" && line.fields["suid"] == "7")
        #expect(line.header.last == "4")
    }

    @Test("leaves out what is absent, null, empty or blank, with its label")
    func empty() throws {
        let event = try Sample.event(
            replacing: ["group": #"{"name":""}"#, "site": #"{"id":null,"name":" \t\n"}"#, "host": "{}"])
        let line = try CEFLine(try render(event, routes: []))
        for key in ["cs1", "cs2", "cs3", "cs4", "cs6"] {
            #expect(line.fields[key] == nil && line.fields[key + "Label"] == nil)
        }
        #expect(line.fields["cs5"] == "london")
    }

    @Test("keeps hostile text inside its field", arguments: Hostile.texts)
    func hostile(name: String) throws {
        let event = try Sample.event(
            name: name,
            replacing: ["group": #"{"name":\#(quoted(name))}"#, "decision": #"{"message":\#(quoted(name))}"#])
        let line = try CEFLine(try render(event))
        #expect(line.fields["suser"] == Self.expected(name))
        #expect(line.fields["cs1"] == Self.expected(name))
        #expect(line.fields["externalId"] == Sample.id)
        #expect(line.fields["act"] == "signin" && line.fields["suid"] == "1234")
        let known = [
            "rt", "act", "outcome", "reason", "cat", "externalId", "msg", "suser", "suid", "duser", "dvchost",
            "deviceExternalId", "src", "c6a2", "smac", "shost", "cs1", "cs2", "cs3", "cs4", "cs5", "cs6", "cn1",
        ]
        #expect(
            line.order.allSatisfy {
                known.contains($0) || ($0.hasSuffix("Label") && known.contains(String($0.dropLast(5))))
            })
    }

    @Test("keeps hostile text inside its field at every limit", arguments: Hostile.texts)
    func hostileAndShort(name: String) throws {
        let event = try Sample.event(name: name, replacing: ["group": #"{"name":\#(quoted(name))}"#])
        for limit in stride(from: 200, to: 1400, by: 97) {
            let line = try CEFLine(try render(event, limit: limit))
            #expect(line.fields["externalId"].map { Sample.id.hasPrefix($0) } ?? true)
            if let user = line.fields["suser"], let whole = Self.expected(name) {
                #expect(whole.unicodeScalars.starts(with: user.unicodeScalars))
            }
        }
    }

    @Test("shortens the longest value first")
    func shortens() throws {
        let line = try CEFLine(try render(try Sample.event(name: String(repeating: "x", count: 70_000)), limit: 4000))
        #expect((line.fields["suser"]?.count ?? 0) > 3000)
        #expect(line.fields["cs6"] == "desk,siem")
    }

    @Test(
        "has a class id of letters, digits, dot, underscore and hyphen for every type",
        arguments: CanonicalType.allCases)
    func classIDs(type: CanonicalType) throws {
        let line = try CEFLine(try render(try Sample.event(type.rawValue)))
        #expect(line.header[4] == type.rawValue)
        #expect(line.header[4].wholeMatch(of: /[A-Za-z0-9._-]+/) != nil)
    }

    /// What a reader gets back: control characters are spaces, but for line ends; no white space at the ends.
    private static func expected(_ text: String) -> String? {
        var scalars = Array(text.unicodeScalars)
        let isControl: (Unicode.Scalar) -> Bool = {
            $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) || $0.value == 0x2028 || $0.value == 0x2029
        }
        let isBlank: (Unicode.Scalar) -> Bool = { isControl($0) || $0.properties.isWhitespace }
        while let last = scalars.last, isBlank(last) { scalars.removeLast() }
        scalars = Array(scalars.drop(while: isBlank))
        var result = String.UnicodeScalarView()
        for scalar in scalars {
            result.append(isControl(scalar) && scalar != "\n" && scalar != "\r" ? " " : scalar)
        }
        return scalars.isEmpty ? nil : String(result)
    }
}
