import Events
import FieldPolicies
import Foundation
import JSON
import Testing
import Vendors
import YAML

/// Reads the keys of a policy as a target, or a source, does.
func decodePolicy(
    _ text: String, at place: FieldPolicy.Place = .target
) throws -> (policy: FieldPolicy?, messages: [String]) {
    var diagnostics = Diagnostics()
    let node = try #require(try parseYAML(Array(text.utf8), file: "x.yaml"))
    var reader = try #require(MappingReader(node, "the target", &diagnostics))
    let policy = FieldPolicy.decode(&reader, at: place, &diagnostics)
    reader.finish(&diagnostics)
    return (policy, diagnostics.sorted.map(\.description))
}

let hashKey = "0123456789abcdef0123456789abcdef"

@Suite("A field policy")
struct FieldPolicyTests {
    private func view(_ data: String, key: String = "4567/1234") throws -> EventView {
        let text =
            #"{"specversion":"1.0","id":"6f0c2a9be1d34c5fa6b7c8d9e0f1a2b3","source":"/sources/london","#
            + #""type":"visitor.signin","subject":"visitor/1234","time":"2020-05-17T12:34:56.789Z","#
            + #""datacontenttype":"application/json","dataschema":"urn:gatehouse:event:1","partitionkey":"\#(key)","#
            + #""data":{\#(data)}}"#
        return try #require(EventView(try JSONParser().parse(Array(text.utf8))))
    }

    private func event() throws -> EventView {
        try view(
            #""vendor":"signinapp","source":"london","received_at":"2020-05-17T12:34:57.000Z","#
                + #""site":{"id":"4567","name":"Acme"},"visitor":{"id":"1234","name":"Zoë \"Z\" Ünal","email":"Zoe@X.example ","#
                + #""phone":null,"company":"","returning":false},"host":{"name":"Adele","group":{"name":"Sales"}},"#
                + #""visit":{"started_at":"2020-05-17T12:00:00.000Z","reasons":[{"name":"flag","reason":"on the list"}]},"#
                + #""device":{"ip":"192.0.2.77"},"face":{"matches":["a1",null,"b2"]},"#
                + #""personal":{"Car Reg":"ABC 123","a.b":7,"born":"1970-03-09","nested":{"x":["secret"]},"none":null},"#
                + #""additional":{"ip":"2001:db8:1:2:3::4"},"original":{"everything":true}"#)
    }

    /// `data` of the event under the policy, with its keys in order.
    private func data(_ policy: String, _ event: EventView? = nil) throws -> String {
        let (decoded, messages) = try decodePolicy(policy)
        #expect(messages == [])
        let view = try #require(decoded).view(of: try event ?? self.event(), with: JSONParser())
        return String(decoding: view.tape.bytes[view.tape.span(view.data)], as: UTF8.self)
    }

    @Test("that leaves everything as it is takes away the sender's own payload alone, byte for byte")
    func untouched() throws {
        let event = try event()
        let before = String(decoding: event.tape.bytes[event.tape.span(event.data)], as: UTF8.self)
        #expect(try data("redact: [actor]") == before.replacing(#","original":{"everything":true}"#, with: ""))
    }

    @Test("gives only what is listed, and what says what the event is")
    func only() throws {
        let envelope = #"{"vendor":"signinapp","source":"london","received_at":"2020-05-17T12:34:57.000Z""#
        #expect(try data("only: []") == envelope + "}")
        #expect(try data("only: visitor.name") == envelope + #","visitor":{"name":"Zoë \"Z\" Ünal"}}"#)
        #expect(
            try data("only: [host, personal.Car Reg, personal.a.b]")
                == envelope
                + #","host":{"name":"Adele","group":{"name":"Sales"}},"personal":{"Car Reg":"ABC 123","a.b":7}}"#)
        #expect(try data("{only: [host.group], redact: host.group.name}") == envelope + "}")
        #expect(
            try data("{only: [personal.Car Reg, site], truncate: {personal: 3, site.name: 1}}")
                == envelope + #","site":{"id":"4567","name":"A"},"personal":{"Car Reg":"ABC"}}"#)
    }

    @Test("leaves out what is redacted, and groups of which nothing is left")
    func redact() throws {
        let text = try data("redact: [visitor, host.group, personal, face, additional.ip]")
        for gone in ["1234", "Zoë", "Sales", "ABC", "a1", "2001:db8"] { #expect(!text.contains(gone), "\(gone)") }
        #expect(
            !text.contains(#""visitor""#) && !text.contains(#""personal""#)
                && text.contains(#""host":{"name":"Adele"}"#))
        #expect(text.contains(#""additional":{}"#))
    }

    @Test("lets the more specific name win")
    func precedence() throws {
        let text = try data("{redact: [visitor, personal], truncate: {visitor.name: 3, personal.Car Reg: 3}}")
        #expect(text.contains(#""visitor":{"name":"Zoë"}"#) && text.contains(#""personal":{"Car Reg":"ABC"}"#))
    }

    @Test("cuts texts to so many characters, and no list or object in a way that nobody foresees")
    func truncate() throws {
        let text = try data(
            "truncate: {visitor.name: 4, visitor.email: 100, visit.reasons: 2, face.matches: 1, personal: 2}")
        #expect(text.contains(#""name":"Zoë ","email":"Zoe@X.example ","phone":null,"company":"""#), "\(text)")
        #expect(text.contains(#"[{"name":"fl","reason":"on"}]"#) && text.contains(#""matches":["a",null,"b"]"#))
        #expect(text.contains(#""personal":{"Car Reg":"AB","a.b":7,"born":"19","none":null}"#), "\(text)")
    }

    @Test("makes times and addresses coarser, and leaves out what is neither")
    func coarsen() throws {
        let text = try data(
            "coarsen: {visit.started_at: day, device.ip: network, personal.born: year, personal.Car Reg: month, additional.ip: network}"
        )
        #expect(text.contains(#""started_at":"2020-05-17T00:00:00.000Z""#) && text.contains(#""ip":"192.0.2.0""#))
        #expect(
            text.contains(#""born":"1970-01-01""#) && !text.contains("ABC") && text.contains(#""ip":"2001:db8:1::""#))
        for (word, expected) in [
            ("hour", "2020-05-17T12:00:00.000Z"), ("day", "2020-05-17T00:00:00.000Z"),
            ("month", "2020-05-01T00:00:00.000Z"), ("year", "2020-01-01T00:00:00.000Z"),
        ] {
            let policy = try #require(try decodePolicy("coarsen: {time: \(word)}").policy)
            let view = try policy.view(of: try event(), with: JSONParser())
            #expect(view.attribute("time") == expected && view.text(.receivedAt) == expected)
            #expect(!String(decoding: view.payload, as: UTF8.self).contains("34:56"))
        }
    }

    @Test(
        "leaves of an address its network, and of no form of one the address itself",
        arguments: [
            ("192.0.2.77", "192.0.2.0"), ("::ffff:192.0.2.77", "192.0.2.0"), ("2001:db8:1:2:3::4", "2001:db8:1::"),
            ("2001:DB8:1:2::ff", "2001:db8:1::"), ("fe80::1234:56ff:fe78:9abc", "fe80::"),
            ("64:ff9b::192.0.2.77", "64:ff9b::"), ("2002:c000:24d:1::1", "2002:c000:200::"), ("::1", "::"),
            ("192.0.2.77:8080", nil), ("[2001:db8::1]", nil), ("fe80::1%eth0", nil), ("192.0.2.77/32", nil),
            ("0xC0.0.2.77", nil), ("3221225985", nil), ("192.0.2", nil), ("00:11:22:33:44:55", nil), ("host", nil),
        ])
    func network(address: String, expected: String?) throws {
        let left = try data(
            "coarsen: {device.ip: network, personal.ip: network}",
            try view(#""device":{"ip":"\#(address)"},"personal":{"ip":"\#(address)"}"#))
        guard let expected else { return #expect(left == #"{"personal":{}}"#) }
        #expect(left == #"{"device":{"ip":"\#(expected)"},"personal":{"ip":"\#(expected)"}}"#)
    }

    @Test("hashes so that the same value has the same hash everywhere, and another key gives another")
    func hash() throws {
        func hashes(_ key: String, _ data: String) throws -> String {
            try self.data(
                "hash: {key: \(key), fields: [visitor, personal, face.matches, visit.reasons]}", try view(data))
        }
        let one = try hashes(
            hashKey,
            #""visitor":{"id":"aB","name":" ZOE ","email":"zoe","returning":true},"personal":{"n":"Zoe","o":{"k":1},"e":""}"#
        )
        // printf zoe | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        let zoe = "efb19feee02f18cbfcea86701f68e032"
        #expect(one.contains(#""name":"\#(zoe)","email":"\#(zoe)","returning":true"#), "\(one)")
        #expect(one.contains(#""n":"\#(zoe)""#) && one.contains(#""e":"""#) && !one.contains(#"{"k":1}"#))
        #expect(!one.contains("aB"))
        let (exact, other) = (
            try hashes(hashKey, #""visitor":{"id":"aB"}"#), try hashes(hashKey, #""visitor":{"id":"ab"}"#)
        )
        #expect(exact != other, "ids that differ in case are two")
        let foreign = try hashes("another-key-of-some-length", #""visitor":{"name":"zoe"}"#)
        #expect(!foreign.contains(zoe) && !foreign.contains("zoe"))
        let list = try hashes(hashKey, #""face":{"matches":["zoe","zoe"]},"visit":{"reasons":[{"name":" ZOE"}]}"#)
        #expect(list.components(separatedBy: zoe).count == 4, "\(list)")
    }

    @Test("makes subject and key of the ids that are left")
    func subject() throws {
        func view(_ policy: String) throws -> EventView {
            try #require(try decodePolicy(policy).policy).view(of: try event(), with: JSONParser())
        }
        var left = try view("redact: visitor.name")
        #expect(left.attribute("subject") == "visitor/1234" && left.partitionKey == "4567/1234")
        left = try view("redact: visitor.id")
        #expect(left.attribute("subject") == nil && left.partitionKey == "6f0c2a9be1d34c5fa6b7c8d9e0f1a2b3")
        left = try view("hash: {key: \(hashKey), fields: visitor.id}")
        let id = try #require(left.text(.visitorID))
        #expect(id.count == 32 && left.attribute("subject") == "visitor/\(id)" && left.partitionKey == "4567/\(id)")
        left = try view("only: visitor.id")
        #expect(left.attribute("subject") == "visitor/1234" && left.partitionKey == "/1234")
    }

    @Test(
        "that cannot be is an error with the nearest right name",
        arguments: [
            ("redact: [vistor.name]", "there is no field `vistor.name` (did you mean visitor.name?)"),
            ("redact: personal.", "there is no field `personal.`"), ("redact: []", "nothing stands here"),
            ("hash: {key: \(hashKey), fields: []}", "nothing stands here"), ("truncate: {}", "nothing stands here"),
            ("coarsen: {}", "nothing stands here"),
            ("redact: original", "never passed on"), ("only: [original]", "never passed on"),
            ("redact: subject", "made of the ids"), ("redact: source", "says what the event is"),
            ("redact: system", "says what the event is"), ("redact: received_at", "is always there"),
            ("hash: visitor.name", "needs a key"), ("hash: {fields: visitor.name}", "needs `key:`"),
            ("hash: {key: short, fields: visitor.name}", "can be guessed"),
            ("hash: {key: \(hashKey), fields: visit.started_at}", "is a time"),
            ("hash: {key: \(hashKey), fields: visitor.returning}", "only be left out"),
            ("truncate: {visitor.name: 0}", "from 1 to 10000"), ("truncate: [visitor.name]", "must be a mapping"),
            ("coarsen: {visitor.name: day}", "dates can"), ("coarsen: {visitor: day}", "name its field"),
            ("coarsen: {personal: day}", "name one"), ("coarsen: {device.ip: day}", "dates can"),
            ("coarsen: {time: network}", "can make it the hour"), ("coarsen: {time: days}", "did you mean day?"),
            ("{redact: visitor.name, truncate: {visitor.name: 1}}", "stands here twice"),
            ("{only: visitor.id, truncate: {visitor.name: 1}}", "is not in `only:`"),
            ("{only: personal.a, truncate: {personal.b: 1}}", "is not in `only:`"),
        ])
    func errors(policy: String, expected: String) throws {
        let (decoded, messages) = try decodePolicy(policy)
        #expect(messages.contains { $0.contains(expected) }, "\(messages)")
        #expect(messages.count == 1)
        _ = decoded
    }

    @Test("of a source leaves the time alone, which the log is ordered by")
    func sourceTime() throws {
        for name in ["time", "received_at"] {
            let (_, messages) = try decodePolicy("coarsen: {\(name): day}", at: .source)
            #expect(messages.contains { $0.contains("coarsen it at the targets") }, "\(messages)")
        }
    }

    @Test("is none where none of its keys stands")
    func none() throws {
        #expect(try decodePolicy("{}").policy == nil)
    }
}
