import Events
import Foundation
import JSON
import Testing

@Suite("An encoded event")
struct EventEncoderTests {
    private func encode(
        _ payload: String, fill: (inout EventDraft, JSONTape) throws -> Void
    ) throws -> (event: EncodedEvent, json: [String: Any]) {
        let tape = try JSONParser().parse(Array(payload.utf8))
        var draft = EventDraft()
        draft.reset(receivedAt: Timestamp("2024-07-30T01:02:03.004Z")!)
        try fill(&draft, tape)
        let event = EventEncoder.encode(draft, source: "london", keySpace: "london", tape: tape, element: tape.root)
        let json = try JSONSerialization.jsonObject(with: Data(event.payload)) as? [String: Any]
        return (event, try #require(json))
    }

    private func pointer(_ text: String) throws -> JSONPointer { try JSONPointer(text) }

    @Test("is a CloudEvent with our data inside")
    func envelope() throws {
        let (event, json) = try encode(#"{"id": 1234, "site": {"id": 4567}}"#) { draft, tape in
            draft.type = .visitorSignin
            draft.time = Timestamp("2020-01-01T12:00:01Z")
            draft.dedupeKey = Array("4EPAoqR4N8jZktby".utf8)
            draft.set(.visitorID, tape, tape.value(at: try pointer("/id")))
            draft.set(.siteID, tape, tape.value(at: try pointer("/site/id")))
            draft.set(.vendor, text: "signinapp")
        }
        #expect(json["specversion"] as? String == "1.0")
        #expect(json["id"] as? String == event.id.hex)
        #expect(json["source"] as? String == "/sources/london")
        #expect(json["type"] as? String == "visitor.signin")
        #expect(json["subject"] as? String == "visitor/1234")
        #expect(json["time"] as? String == "2020-01-01T12:00:01.000Z")
        #expect(json["partitionkey"] as? String == "4567/1234")
        #expect(json["dataschema"] as? String == "urn:gatehouse:event:1")
        let data = try #require(json["data"] as? [String: Any])
        #expect((data["visitor"] as? [String: Any])?["id"] as? String == "1234")
        #expect((data["original"] as? [String: Any])?["id"] as? Int == 1234)
    }

    @Test("has the id that SHA-256 of the source, a line feed and the sender's key gives")
    func identity() throws {
        let (event, _) = try encode("{}") { draft, _ in draft.dedupeKey = Array("key".utf8) }
        // printf 'london\nkey' | sha256sum
        #expect(event.id.hex == "d56eeb38c40653f4bb7fb21f58871c89")
    }

    @Test("without any subject is ordered by its own id")
    func withoutSubject() throws {
        let (event, json) = try encode(#"{"a":1}"#) { _, _ in }
        #expect(String(decoding: event.partitionKey, as: UTF8.self) == event.id.hex)
        #expect(json["subject"] == nil)
        #expect(json["type"] as? String == "other")
        #expect(json["time"] as? String == "2024-07-30T01:02:03.004Z")
    }

    @Test("keeps absent, null and empty apart")
    func states() throws {
        let (_, json) = try encode(#"{"phone": null, "company": "", "name": "Ada"}"#) { draft, tape in
            draft.set(.visitorPhone, tape, tape.value(at: try pointer("/phone")))
            draft.set(.visitorCompany, tape, tape.value(at: try pointer("/company")))
            draft.set(.visitorEmail, tape, tape.value(at: try pointer("/email")))
        }
        let visitor = try #require((json["data"] as? [String: Any])?["visitor"] as? [String: Any])
        #expect(visitor["phone"] is NSNull)
        #expect(visitor["company"] as? String == "")
        #expect(visitor["email"] == nil)
    }

    @Test("keeps mixed values of a map, and an empty list as an empty map")
    func maps() throws {
        let payload = #"{"p": {"Car Reg": "ABC", "n": 789, "b": true, "a.b": null}, "e": []}"#
        let (_, json) = try encode(payload) { draft, tape in
            draft.set(.personal, tape, tape.value(at: try pointer("/p")))
            draft.set(.additional, tape, tape.value(at: try pointer("/e")))
        }
        let data = try #require(json["data"] as? [String: Any])
        let personal = try #require(data["personal"] as? [String: Any])
        #expect(personal["Car Reg"] as? String == "ABC")
        #expect(personal["n"] as? Int == 789)
        #expect(personal["a.b"] is NSNull)
        #expect((data["additional"] as? [String: Any])?.isEmpty == true)
    }

    @Test(
        "is JSON that another parser takes, whatever a visitor typed",
        arguments: [
            #"\ud800 cut"#, #"\u0000\u001b[31m\r\n"#, #"</script>"#, #"\u202eevil"#, #"\ud83d\ude00"#, #"\"\\"#,
            String(repeating: "n", count: 65_536),
        ])
    func hostileText(text: String) throws {
        let (_, json) = try encode("{\"name\": \"\(text)\"}") { draft, tape in
            let name = tape.value(at: try pointer("/name"))
            draft.set(.visitorName, tape, name)
            draft.set(.visitorID, tape, name)
            draft.add(.personal, key: Array("k\"\n".utf8), tape, try #require(name))
            // What the parser of this test cannot read is not the canonical part but the sender's own text.
            draft.removals.remove(
                tape, key: tape.members(tape.root).first(where: { _ in true })!.key, value: try #require(name))
        }
        let visitor = try #require((json["data"] as? [String: Any])?["visitor"] as? [String: Any])
        #expect((visitor["name"] as? String)?.isEmpty == false)
        #expect((json["data"] as? [String: Any])?["original"] as? [String: String] == [:])
    }
}
