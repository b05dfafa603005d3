import Events
import Foundation
import JSON
import Testing

@testable import Targets

/// A canonical event for the tests of every format.
struct FormatSample: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var event: EventView

    /// What the samples of every sender become, and an event of each type.
    static let all: [FormatSample] = ofSenders + ofTypes

    static let ofSenders: [FormatSample] = {
        let tests = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent()
        let root = tests.appending(path: "VendorsTests/Fixtures").path
        let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return files.filter { $0.hasSuffix(".expected.json") }.sorted().compactMap { file in
            guard let known = try? tape("\(root)/\(file)"),
                let payload = try? tape("\(root)/\(file.replacing(".expected.json", with: ".json"))"),
                let event = try? EventView(parsing: compact(known, payload), with: JSONParser())
            else { return nil }
            return FormatSample(testDescription: file.replacing(".expected.json", with: ""), event: event)
        }
    }()

    private static func tape(_ path: String) throws -> JSONTape {
        try JSONParser().parse(Array(try #require(FileManager.default.contents(atPath: path))))
    }

    /// As the log keeps it: without the space that lays it out for people, and with the payload it came from.
    private static func compact(_ known: JSONTape, _ payload: JSONTape) -> [UInt8] {
        var writer = JSONWriter()
        let data = known.member(known.root, "data")
        func write(_ place: JSONIndex) {
            switch known.kind(place) {
            case .object:
                writer.beginObject()
                for (key, value) in known.members(place) {
                    writer.key(known.text(key) ?? "")
                    write(value)
                }
                if place == data {
                    writer.key("original")
                    writer.raw(payload, payload.root)
                }
                writer.endObject()
            case .array:
                writer.beginArray()
                for element in known.elements(place) { write(element) }
                writer.endArray()
            default: writer.raw(known, place)
            }
        }
        write(known.root)
        return writer.bytes
    }

    /// What is left of `data` where nobody knows anything, or a policy took all it can.
    static let nothing = [
        "visitor": "{}", "host": "{}", "group": "{}", "site": "{}", "personal": "{}", "additional": "{}",
    ]

    /// What a policy can take of `data`, by the names of groups and of fields that stand in none.
    static let policied = [
        "organization", "account", "correlation_id", "site", "group", "visitor", "host", "visit", "invitation",
        "device",
        "session", "face", "actor", "change", "decision", "personal", "additional",
    ]

    static let ofTypes: [FormatSample] = CanonicalType.allCases.compactMap { type in
        (try? full(type, text: "x \(type.rawValue)")).map { FormatSample(testDescription: type.rawValue, event: $0) }
    }

    /// An event with the text in every place a sender can fill.
    static func full(_ type: CanonicalType, text: String, hasActor: Bool = true) throws -> EventView {
        let value = quoted(text)
        var members = [
            "vendor_event": value, "organization": #"{"id":"o1","name":\#(value)}"#, "correlation_id": value,
            "site": #"{"id":"4567","name":\#(value),"timezone":"Europe/London"}"#,
            "group": #"{"id":"g","name":\#(value)}"#,
            "visitor":
                #"{"id":"1234","returning_id":\#(value),"name":\#(value),"email":\#(value),"phone":\#(value),"company":\#(value),"returning":null,"remote":false}"#,
            "host": #"{"id":"8","name":\#(value),"email":\#(value),"group":{"name":\#(value)}}"#,
            "visit":
                #"{"id":"v","status":\#(value),"started_at":\#(value),"reasons":[{"name":"n","reason":\#(value)}]}"#,
            "invitation": #"{"id":"i","subject":\#(value),"message":\#(value),"attempts":3}"#,
            "device": #"{"id":\#(value),"mac":\#(value),"ip":\#(value),"hostname":\#(value)}"#,
            "session": #"{"id":\#(value),"state":"open"}"#, "face": #"{"matches":["a",\#(value)],"attempts":2}"#,
            "change": #"{"object":\#(value),"field":\#(value),"before":{"x":\#(value)},"after":[\#(value)]}"#,
            "decision": #"{"reason":\#(value),"message":\#(value),"notes":\#(value)}"#,
            "personal": #"{\#(value):\#(value),"n":1.50,"b":true,"l":[\#(value)]}"#,
            "additional": #"{\#(value):{\#(value):null},"e":""}"#,
        ]
        if hasActor { members["actor"] = #"{"id":"7","name":\#(value),"email":\#(value)}"# }
        if type.isSystem { members["system"] = #"{"target":\#(value),"reason":\#(value),"count":4}"# }
        return try Sample.event(type.rawValue, replacing: members)
    }
}

/// Texts nobody would type who means well, the same for the same seed.
struct HostileWriter {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private static let pieces = [
        "\n", "\r\n", "\r", "\t", "\u{0}", "\u{1b}[0m", "\u{85}", "\u{9b}", "\u{a0}", "\u{2028}", "\u{2029}",
        "\u{feff}",
        "\u{202e}", "\u{3000}", "\\", "\\\\", "\\n", "\"", "'", "=", "|", "^", "]", "}", "{", ",", ":", " ", "   ",
        "CEF:0|a|b|1|c|d|9|", "LEEF:2.0|a|b|1|c|^|", " suser=root", "^usrName=root", " cs1Label=x",
        "<13>1 - - - - - - ",
        "\"},{\"id\":\"x\"", "é", "名前", "👩‍👩‍👧‍👦", "\u{1F3F4}", "e\u{301}", "a", "Zoë", "null", "0", "\u{7f}", "%0a", "&#10;",
    ]

    mutating func text() -> String {
        var text = ""
        for _ in 0..<Int(next() % 9) {
            let piece = Self.pieces[Int(next() % UInt64(Self.pieces.count))]
            text += String(repeating: piece, count: next() % 16 == 0 ? 200 : 1)
        }
        return text
    }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// What readers of JSON get.
enum ReadJSON {
    /// Every scalar and empty container by its pointer.
    static func leaves(_ value: Any, _ path: String = "") -> [String: NSObject] {
        if let object = value as? [String: Any], !object.isEmpty {
            return object.reduce(into: [:]) { result, member in
                let key = member.key.replacing("~", with: "~0").replacing("/", with: "~1")
                result.merge(leaves(member.value, "\(path)/\(key)")) { $1 }
            }
        }
        if let list = value as? [Any], !list.isEmpty {
            return list.enumerated().reduce(into: [:]) { result, element in
                result.merge(leaves(element.element, "\(path)/\(element.offset)")) { $1 }
            }
        }
        return [path: value as? NSObject ?? NSNull()]
    }

    static func texts(_ value: Any) -> Set<String> {
        Set(leaves(value).values.compactMap { $0 as? String })
    }
}

func render(
    _ format: any EventFormat, _ event: EventView, original: Bool = true, limit: Int? = nil,
    routes: [String] = ["desk", "siem"]
) throws -> [UInt8] {
    let policy = ContentPolicy(includesOriginal: original, includesBiometrics: false)
    let options = RenderingOptions(policy: policy, hostname: "gate", limit: limit)
    return try format.render(OutgoingEvent(event: event, routes: routes), options)
}
