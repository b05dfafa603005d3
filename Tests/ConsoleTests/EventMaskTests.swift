import Events
import Foundation
import Testing

@Suite("A masked event")
struct EventMaskTests {
    /// An event that has every field of the table, each with a value of its own.
    private static func full() throws -> [UInt8] {
        var data: [String: Any] = ["original": ["name": "Ada"], "unknown": "Ada"]
        for field in EventField.allCases {
            let names = field.components.map(\.description)
            data = insert(value(field), names[...], data)
        }
        return try payload(data)
    }

    private static func payload(_ data: [String: Any], type: String = "visitor.signin") throws -> [UInt8] {
        let event: [String: Any] = ["id": "1", "type": type, "subject": "visitor/1234", "data": data]
        return Array(try JSONSerialization.data(withJSONObject: event))
    }

    private static func insert(_ value: Any, _ path: ArraySlice<String>, _ object: [String: Any]) -> [String: Any] {
        var object = object
        guard let name = path.first else { return object }
        let rest = path.dropFirst()
        object[name] = rest.isEmpty ? value : insert(value, rest, object[name] as? [String: Any] ?? [:])
        return object
    }

    private static func value(_ field: EventField) -> Any {
        switch field.kind {
        case .boolean: true
        case .number: 7
        case .identifiers: [field.path]
        case .reasons: [["name": field.path, "reason": "Ada"]]
        case .map: ["Key": field.path, "Other": ["deep": "Ada"]]
        case .identifier, .text, .timestamp, .any: field.path
        }
    }

    private static func masked(_ payload: [UInt8]) throws -> [String: Any] {
        let mask = EventMask()
        let found: [UInt8]? = mask.masked(payload)
        let bytes = try #require(found)
        return try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    private static func value(_ event: [String: Any], _ field: EventField) -> Any? {
        field.components.reduce(event["data"]) { value, name in (value as? [String: Any])?[name.description] }
    }

    @Test("hides every personal field and shows every other", arguments: EventField.allCases)
    func fields(_ field: EventField) throws {
        let event = try Self.masked(Self.full())
        let found = try #require(Self.value(event, field), "it is gone")
        if field.isPersonal {
            #expect(!"\(found)".contains(field.path) && !"\(found)".contains("Ada"), "\(found)")
            #expect("\(found)".contains("***"))
        } else {
            #expect(found as? NSObject == Self.value(field) as? NSObject)
        }
    }

    @Test("hides the sender's own payload, and what the field table does not know")
    func unknown() throws {
        let event = try Self.masked(Self.full())
        let data = try #require(event["data"] as? [String: Any])
        #expect(data["original"] as? String == "***")
        #expect(data["unknown"] as? String == "***")
        #expect(event["subject"] as? String == "visitor/1234")
    }

    @Test("keeps the shape of what it hides")
    func shape() throws {
        let event = try Self.masked(
            Self.payload([
                "visitor": ["name": NSNull(), "email": ""], "personal": ["Car Reg": "ABC", "Age": 3, "None": NSNull()],
                "visit": ["reasons": [["name": "a"]]], "change": ["before": ["x": 1]],
            ]))
        let data = try #require(event["data"] as? NSDictionary)
        let expected: NSDictionary = [
            "visitor": ["name": NSNull(), "email": "***"],
            "personal": ["Car Reg": "***", "Age": "***", "None": NSNull()],
            "visit": ["reasons": ["***"]], "change": ["before": "***"],
        ]
        #expect(data == expected)
    }

    @Test("hides an e-mail address, wherever a sender put it")
    func address() throws {
        var event = try Self.masked(Self.payload(["visitor": ["id": "ada@example.com"], "site": ["id": "4567"]]))
        #expect((event["data"] as? NSDictionary) == ["visitor": ["id": "***"], "site": ["id": "4567"]])
        let payload = Array(#"{"type":"other","subject":"visitor/ada@example.com","data":{}}"#.utf8)
        event = try Self.masked(payload)
        #expect(event["subject"] as? String == "***")
    }

    @Test("shows what our own events tell")
    func system() throws {
        let event = try Self.masked(Self.payload(["system": ["target": "siem"]], type: "system.target.disabled"))
        #expect((event["data"] as? NSDictionary) == ["system": ["target": "siem"]])
        let other = try Self.masked(Self.payload(["system": ["visitor": "Ada"]], type: "system.target.disabled"))
        #expect((other["data"] as? NSDictionary) == ["system": ["visitor": "***"]])
    }

    @Test("is none where there is no event", arguments: ["", "17", "{}", "{\"data\":", "[]"])
    func none(text: String) {
        let mask = EventMask()
        let found: [UInt8]? = mask.masked(Array(text.utf8))
        #expect(found == nil)
    }

    @Test("whose data is no object shows nothing of it")
    func noObject() throws {
        #expect(try Self.masked(Array(#"{"data":"Ada"}"#.utf8))["data"] as? String == "***")
    }
}
