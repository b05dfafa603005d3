import Events
import Foundation
import HTTPClient
import HTTPTypes
import JSON
import Kafka
import TestSupport
import Testing
import Vendors
import YAML

@testable import Targets

/// An event of a sender, every text of it a canary of its own.
struct PlantedEvent: Sendable, CustomTestStringConvertible {
    let vendor: any Vendor
    let sample: VendorEvent

    var testDescription: String { "\(vendor.name) \(sample.name)" }

    static let all = (Vendors.all + [Vendors.own]).flatMap { vendor in
        vendor.events.map { PlantedEvent(vendor: vendor, sample: $0) }
    }

    /// All of them with what must not be told.
    static func views() throws -> [(name: String, event: EventView, secrets: Set<String>)] {
        try all.map { planted in
            let event = try planted.view()
            return (planted.testDescription, event, secrets(of: event))
        }
    }

    /// As the log keeps it, the sender's own payload included.
    func view() throws -> EventView {
        let tape = try JSONParser().parse(Array(try planted().utf8))
        var draft = EventDraft()
        draft.reset(receivedAt: try #require(Timestamp("2024-07-30T01:02:03.004Z")))
        var settings = DecodeSettings(source: "london")
        settings.events["event"] = .visitorSignin
        settings.keepsBiometrics = true
        Decoder.decode(tape, tape.root, vendor: vendor, settings: settings, query: nil, into: &draft)
        // Where no sender's sample has anything, so that every field of the table is tried with every event.
        for field in EventField.allCases where field.isPersonal && draft[field] == .absent {
            switch field.kind {
            case .map:
                draft[field] = .map([MapEntry(key: Array("k".utf8), value: .text(Array("canary-\(field.path)-x".utf8)))]
                )
            case .identifiers: draft[field] = .json(Array(#"["canary-\#(field.path)-x"]"#.utf8))
            case .reasons: draft[field] = .json(Array(#"[{"name":"flag","reason":"canary-\#(field.path)-x"}]"#.utf8))
            default: draft.set(field, text: "canary-\(field.path)-x")
            }
        }
        let event = EventEncoder.encode(draft, source: "london", keySpace: "london", tape: tape, element: tape.root)
        return try #require(EventView(try JSONParser().parse(event.payload)))
    }

    /// The sample with a text of its own in the place of every text but its times and its name.
    private func planted() throws -> String {
        let object = try JSONSerialization.jsonObject(with: Data(sample.sample.utf8))
        var count = 0
        func plant(_ value: Any, _ path: String) -> Any {
            switch value {
            case let object as [String: Any]:
                return Dictionary(uniqueKeysWithValues: object.map { ($0.key, plant($0.value, "\(path)/\($0.key)")) })
            case let list as [Any]: return list.enumerated().map { plant($0.element, "\(path)/\($0.offset)") }
            case let text as String where !sample.times.contains(path) && text != sample.name:
                count += 1
                return "canary-\(count)-x"
            default: return value
            }
        }
        return String(decoding: try JSONSerialization.data(withJSONObject: plant(object, "")), as: UTF8.self)
    }

    /// The canaries in a text. Formats write what they escape in ways of their own; a canary has nothing to escape.
    static func canaries(in bytes: some Sequence<UInt8>) -> Set<String> {
        var found: Set<String> = []
        let beginning = Array("canary-".utf8)
        let bytes = Array(bytes)
        var position = 0
        while let start = bytes[position...].firstIndex(of: beginning[0]) {
            position = start + 1
            guard bytes[start...].starts(with: beginning) else { continue }
            let end = bytes[(start + beginning.count)...].firstIndex(of: UInt8(ascii: "-")) ?? bytes.endIndex
            found.insert(String(decoding: bytes[start..<end], as: UTF8.self))
        }
        return found
    }

    /// Those in personal fields, and those that stand in the sender's payload only.
    static func secrets(of event: EventView) -> Set<String> {
        var open: Set<String> = []
        var personal: Set<String> = []
        for field in EventField.allCases {
            guard let value = event.value(field) else { continue }
            let found = canaries(in: event.tape.bytes[event.tape.span(value)])
            if field.isPersonal { personal.formUnion(found) } else { open.formUnion(found) }
            // The keys of a map are the names of its fields, and stay.
            for (key, _) in event.tape.members(value) where field.kind == .map {
                open.formUnion(canaries(in: event.tape.bytes[event.tape.span(key)]))
            }
        }
        return canaries(in: event.payload).subtracting(open).union(personal.subtracting(open))
    }
}

/// Everything a target can be configured to send, by type and format.
enum EverySpelling {
    static let all: [String] = TargetTypes.all.flatMap { type -> [String] in
        switch type.name {
        case "syslog":
            Formats.all.map { "type: syslog, address: \"udp://192.0.2.1\", allow: 192.0.2.0/24, format: \($0.name)" }
        case "file": Formats.all.map { "type: file, path: /nowhere/a.ndjson, format: \($0.name)" }
        case "http":
            [
                "type: http, url: \"https://crm.example/\"",
                "type: http, url: \"https://crm.example/\", body: \(template)",
            ]
        case "webhook":
            WebhookBody.allCases.filter { $0 != .original }.map {
                "type: webhook, url: \"https://partner.example/\", body: \($0.rawValue)"
            }
        case "kafka":
            ["binary", "structured"].map { "type: kafka, brokers: [\"b.example:1\"], topic: t, format: \($0)" }
        default: ["type: \(type.name)"]
        }
    }

    /// Every field there is, and every group.
    private static let template: String = {
        let fields = EventField.allCases.map { "\"\($0.path)\": \"{\($0.path)}\"" }
        let others = ["visitor", "host", "subject", "partitionkey", "id"].map { "\"g.\($0)\": \"{\($0)}\"" }
        return "{\((fields + others).joined(separator: ", "))}"
    }()
}

@Suite("Under a field policy")
struct PolicyCanaryTests {
    private static let key = "0123456789abcdef0123456789abcdef"
    private static let personal = EventField.allCases.filter { $0.isPersonal && !$0.saysNothing }.map(\.path)

    static let policies = [
        "only: []", "redact: [\(personal.joined(separator: ", "))]",
        "hash: {key: \(key), fields: [\(personal.joined(separator: ", "))]}",
        "truncate: {\(personal.map { "\($0): 5" }.joined(separator: ", "))}",
    ]

    @Test(
        "no target of any type or format tells what the policy takes away, of any sender's event",
        arguments: EverySpelling.all, policies)
    func payloads(spelling: String, policy: String) throws {
        let (decoded, messages) = try decode("{\(spelling), \(policy)}")
        guard let blueprint = decoded else {
            // A format that is the sender's own payload has no place here.
            #expect(messages.contains { $0.contains("original") }, "\(spelling): \(messages)")
            return
        }
        let renderable = try #require(blueprint as? any RenderableBlueprint)
        for (name, event, secrets) in try Self.planted.get() {
            #expect(secrets.count > 20, "\(name)")
            do throws(RenderingError) {
                let message = try renderable.message([Sample.outgoing(event)], hostname: "gate", timestampSeconds: 0)
                let everything = message.everything
                let told = PlantedEvent.canaries(in: everything).intersection(secrets)
                #expect(told.isEmpty, "\(name): \(told)")
                #expect(Self.encoded.found(in: everything).allSatisfy { $0 == "plain" }, "\(name)")
            } catch {
                Issue.record("\(name): \(error.message)")
            }
        }
        let (_, event, secrets) = try #require(try Self.planted.get().first)
        let shown = try blueprint.rendition(of: Sample.outgoing(event), hostname: "gate", now: .now())
        #expect(PlantedEvent.canaries(in: shown.bytes).isDisjoint(with: secrets))
    }

    private static let planted = Result { try PlantedEvent.views() }
    /// What is not secret stands there as it is, so nothing may stand there in another way.
    private static let encoded = EncodedForms("canary-1")

    @Test("an encoded canary would be found, wherever in a text it stands")
    func encodedForms() throws {
        let text = "canary-12"
        for before in ["", "a", "bc", "def"] {
            let whole = before + text + "-x"
            let forms = [
                whole, whole.uppercased(), Data(whole.utf8).base64EncodedString(),
                whole.utf8.map { String(format: "%02x", $0) }.joined(),
                whole.utf8.map { String(format: "%%%02X", $0) }.joined(),
                whole.utf8.map { String(format: "\\u%04x", $0) }.joined(),
                whole.utf8.map { "&#\($0);" }.joined(),
            ]
            for form in forms { #expect(Self.encoded.found(in: form).count == 1, "\(form)") }
            for encoding in [String.Encoding.utf16LittleEndian, .utf16BigEndian] {
                let bytes = Array(try #require(whole.data(using: encoding)))
                #expect(Self.encoded.found(in: bytes).contains { $0.hasPrefix("UTF-16") })
            }
        }
        #expect(Self.encoded.found(in: "canary") == [])
    }

    @Test("the same targets without one tell canaries, so that the search finds what is there")
    func withoutPolicy() throws {
        let planted = try #require(PlantedEvent.all.first)
        let event = try planted.view()
        for spelling in EverySpelling.all {
            let (decoded, messages) = try decode("{\(spelling)}")
            guard let blueprint = decoded as? any RenderableBlueprint else {
                // Over syslog the sender's own payload never goes.
                #expect(messages.contains { $0.contains("original") }, "\(spelling): \(messages)")
                continue
            }
            let message = try blueprint.message([Sample.outgoing(event)], hostname: "gate", timestampSeconds: 0)
            #expect(!PlantedEvent.canaries(in: message.everything).isEmpty, "\(spelling)")
        }
    }
}

extension EventField {
    /// Only ever filled by Gatehouse itself.
    fileprivate var saysNothing: Bool { isSystem }
}

extension WireMessage {
    /// Body, headers, URL and keys.
    fileprivate var everything: [UInt8] {
        switch self {
        case .bytes(let bytes): bytes
        case .request(let request):
            request.body + Array(request.url.utf8)
                + request.headers.fields.flatMap { Array("\($0.name): \($0.value)\n".utf8) }
        case .record(let record):
            (record.key ?? []) + (record.value ?? []) + record.headers.flatMap { Array($0.name.utf8) + $0.value }
        }
    }
}
