import Events
import Foundation
import JSON
import Testing

@testable import Targets

/// How a format is read back: by a reader that knows nothing of the writer.
struct FormatReader {
    /// What a line says, by key or JSON pointer.
    var fields: (_ line: [UInt8]) throws -> [String: NSObject]
    /// The key or pointer below which a shortened line lists what is not as it was; nil where nothing is shortened.
    var list: String?
    /// Expects that a line written whole says what the event does.
    var check: (_ event: EventView, _ line: [UInt8]) throws -> Void

    /// Every format there is, and one that somebody wrote for himself.
    static let formats: [NamedFormat] = (Formats.all + [template]).map { NamedFormat(format: $0) }

    struct NamedFormat: Sendable, CustomTestStringConvertible {
        var format: any EventFormat
        var testDescription: String { format.name }
    }

    static func of(_ format: any EventFormat) throws -> FormatReader {
        switch format.name {
        case "json", "cloudevents": FormatReader(fields: pointers, list: "/data/truncated", check: canonical)
        case "cef": FormatReader(fields: cef, list: "flexString1", check: checkCEF)
        case "leef": FormatReader(fields: leef, list: "truncated", check: checkLEEF)
        case "ocsf": FormatReader(fields: pointers, list: "/unmapped/truncated", check: record)
        case "ecs": FormatReader(fields: pointers, list: "/gatehouse/truncated", check: record)
        case "original": FormatReader(fields: pointers, list: nil, check: original)
        case "template": FormatReader(fields: pointers, list: "/truncated", check: checkTemplate)
        default: throw Missing(format: format.name)
        }
    }

    struct Missing: Error {
        /// Of which no test reads what it writes: write a reader of it here.
        var format: String
    }

    /// What a shortened line says is not as it was.
    func touched(_ fields: [String: NSObject]) -> [String] {
        guard let list else { return [] }
        let values = fields.filter { covers(list, $0.key) }.values.compactMap { $0 as? String }
        return list.hasPrefix("/") ? values : values.flatMap { $0.split(separator: ",").map(String.init) }
    }

    /// Whether the key or pointer, or what it names the parent of, is this path. Byte by byte: what follows a slash may be a
    /// mark that joins it.
    func covers(_ name: String, _ path: String) -> Bool {
        path == name || path.utf8.starts(with: (name + "/").utf8) || path == name + "Label"
    }

    // MARK: JSON

    private static func pointers(_ line: [UInt8]) throws -> [String: NSObject] {
        ReadJSON.leaves(try JSONTape.object(line))
    }

    private static func data(of event: EventView) throws -> [String: Any] {
        try #require(try JSONTape.object(event.payload)["data"] as? [String: Any])
    }

    private static func canonical(_ event: EventView, _ line: [UInt8]) throws {
        #expect(try JSONTape.object(line) as NSDictionary == JSONTape.object(event.payload) as NSDictionary)
    }

    private static func original(_ event: EventView, _ line: [UInt8]) throws {
        #expect(try JSONTape.object(line) as NSDictionary == data(of: event)["original"] as? NSDictionary)
    }

    /// Every text stands somewhere, and the sender's payload as one text.
    private static func record(_ event: EventView, _ line: [UInt8]) throws {
        var data = try data(of: event)
        let original = data.removeValue(forKey: "original") as? NSDictionary
        let record = try JSONTape.object(line)
        // A time that OCSF has as a number.
        let missing = ReadJSON.texts(data).subtracting(ReadJSON.texts(record)).subtracting(["2020-01-01T12:00:02.000Z"])
        #expect(missing.isEmpty, "\(missing)")
        let raw = record["raw_data"] ?? (record["event"] as? [String: Any])?["original"]
        let payload = try #require(raw as? String)
        #expect(try JSONTape.object(Array(payload.utf8)) as NSDictionary == original)
    }

    // MARK: a template

    private static let template: any EventFormat = {
        let target = try? decode(
            """
            type: file
            path: /tmp/x
            format:
              template: {id: "{id}", who: {name: "{visitor.name}", phone: "{?visitor.phone}"}, hosts: ["{host.name}"],
                note: "of {visitor.name}", additional: "{additional}"}
            """
        ).blueprint
        return (target as? FileBlueprint)?.format ?? OriginalFormat()
    }()

    private static func checkTemplate(_ event: EventView, _ line: [UInt8]) throws {
        let read = try JSONTape.object(line)
        let who = try #require(read["who"] as? [String: Any])
        let data = try data(of: event)
        let visitor = data["visitor"] as? [String: Any] ?? [:]
        #expect(who as NSDictionary == visitor.filter { ["name", "phone"].contains($0.key) } as NSDictionary)
        #expect((read["hosts"] as? [String])?.map { unmarked($0) } == [unmarked(event.text(.hostName))])
        #expect(unmarked(read["note"] as? String) == "of " + unmarked(event.text(.visitorName)))
        #expect(read["additional"] as? NSDictionary == data["additional"] as? NSDictionary)
    }

    /// Foundation's reader of JSON drops byte order marks.
    private static func unmarked(_ text: String?) -> String {
        String(String.UnicodeScalarView((text ?? "").unicodeScalars.filter { $0 != "\u{FEFF}" }))
    }

    // MARK: pairs

    private static func cef(_ line: [UInt8]) throws -> [String: NSObject] {
        let read = try CEFLine(text(line))
        #expect(read.header[..<4] == ["0", "Gatehouse", "Gatehouse", "1"])
        return read.fields.mapValues { $0 as NSString }
    }

    private static func leef(_ line: [UInt8]) throws -> [String: NSObject] {
        let read = try LEEFLine(text(line))
        #expect(read.header[..<4] == ["LEEF:2.0", "Gatehouse", "Gatehouse", "1"] && read.header[5] == "^")
        return read.fields.mapValues { $0 as NSString }
    }

    private static func checkCEF(_ event: EventView, _ line: [UInt8]) throws {
        let read = try CEFLine(text(line))
        #expect(read.header[4] == event.type)
        compare(CEFMapping.rules, event, read.fields, PairText.cef)
    }

    private static func checkLEEF(_ event: EventView, _ line: [UInt8]) throws {
        let read = try LEEFLine(text(line))
        #expect(read.header[4] == event.type)
        compare(LEEFMapping.rules, event, read.fields, PairText.leef)
    }

    /// Every field is what the event has, read by the rules of the page, and no key is there that has no rule.
    private static func compare(
        _ rules: [PairRule], _ event: EventView, _ found: [String: String], _ read: (String) -> String?
    ) {
        #expect(found.keys.allSatisfy { key in rules.contains { "\($0.key)" == key || "\($0.key)Label" == key } })
        for rule in rules {
            guard case .field(let field, let other) = rule.value else { continue }
            let texts = ([field] + (other.map { [$0] } ?? [])).compactMap { event.text($0) }
            let expected = texts.first { !$0.isEmpty }.flatMap(read)
            // Scalar by scalar: texts that only look alike are not alike.
            let scalars = found["\(rule.key)"].map { Array($0.unicodeScalars) }
            #expect(scalars == expected.map { Array($0.unicodeScalars) }, "\(rule.key)")
        }
    }
}
