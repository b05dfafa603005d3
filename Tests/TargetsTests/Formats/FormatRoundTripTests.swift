import Events
import Foundation
import JSON
import Testing

@testable import Targets

@Suite("What a reader of a format gets")
struct FormatRoundTripTests {
    /// Seeds of hostile texts; each event has one of them everywhere.
    static let seeds: [UInt64] = Array(1...60)

    private func events(_ seed: UInt64) throws -> [EventView] {
        var writer = HostileWriter(seed: seed)
        let type = CanonicalType.allCases[Int(seed) % CanonicalType.allCases.count]
        return try [FormatSample.full(type, text: writer.text(), hasActor: seed % 3 == 0)]
            + (try [Sample.event(type.rawValue, name: writer.text())])
    }

    @Test("of json and cloudevents is the event", arguments: seeds)
    func canonical(seed: UInt64) throws {
        for event in try events(seed) {
            let expected = try JSONTape.object(event.payload) as NSDictionary
            for format in [JSONFormat() as any EventFormat, CloudEventsFormat()] {
                #expect(try JSONTape.object(render(format, event)) as NSDictionary == expected)
            }
        }
    }

    @Test("of ocsf and ecs is every text of the event, and the payload where it goes along", arguments: seeds)
    func records(seed: UInt64) throws {
        for event in try events(seed) {
            var data = try #require(try JSONTape.object(event.payload)["data"] as? [String: Any])
            let original = data.removeValue(forKey: "original") as? NSDictionary
            let texts = ReadJSON.texts(data)
            for format in [OCSFFormat() as any EventFormat, ECSFormat()] {
                let record = try JSONTape.object(render(format, event))
                // Times that OCSF has as numbers.
                let missing = texts.subtracting(ReadJSON.texts(record)).subtracting(["2020-01-01T12:00:02.000Z"])
                #expect(missing.isEmpty, "\(format.name): \(missing)")
                let raw = record["raw_data"] ?? (record["event"] as? [String: Any])?["original"]
                let payload = try #require(raw as? String)
                #expect(try JSONTape.object(Array(payload.utf8)) as NSDictionary == original)
                let withheld = try JSONTape.object(render(format, event, original: false))
                #expect(withheld["raw_data"] == nil)
                #expect((withheld["event"] as? [String: Any])?["original"] == nil)
            }
        }
    }

    @Test("of original is the sender's payload", arguments: seeds)
    func original(seed: UInt64) throws {
        for event in try events(seed) {
            let data = try #require(try JSONTape.object(event.payload)["data"] as? [String: Any])
            let line = try render(OriginalFormat(), event)
            #expect(try JSONTape.object(line) as NSDictionary == data["original"] as? NSDictionary)
        }
    }

    @Test("of cef and leef is the text of each field, by the rules of the pages", arguments: seeds)
    func pairs(seed: UInt64) throws {
        for event in try events(seed) {
            let cef = try CEFLine(text(render(CEFFormat(), event)))
            compare(CEFMapping.rules, event, PairText.cef) { cef.fields[$0] }
            #expect(cef.order.filter { !$0.hasSuffix("Label") }.count <= CEFMapping.rules.count)
            let leef = try LEEFLine(text(render(LEEFFormat(), event)))
            compare(LEEFMapping.rules, event, PairText.leef) { leef.fields[$0] }
            #expect(Set(leef.fields.keys).isSubset(of: LEEFMapping.rules.map { "\($0.key)" }))
            #expect(leef.header == ["LEEF:2.0", "Gatehouse", "Gatehouse", "1", event.type, "^"])
        }
    }

    private func compare(
        _ rules: [PairRule], _ event: EventView, _ read: (String) -> String?, _ found: (String) -> String?
    ) {
        for rule in rules {
            guard case .field(let field, let other) = rule.value else { continue }
            let texts = ([field] + (other.map { [$0] } ?? [])).compactMap { event.text($0) }
            let expected = texts.first { !$0.isEmpty }.flatMap(read)
            // Scalar by scalar: texts that only look alike are not alike.
            #expect(found("\(rule.key)").map { Array($0.unicodeScalars) } == expected.map { Array($0.unicodeScalars) })
        }
    }

    @Test("of a shortened line lists what is not as it was", arguments: seeds.prefix(12))
    func shortened(seed: UInt64) throws {
        for event in try events(seed) {
            for limit in [1024, 2000] {
                try shortenedPairs(event, limit)
                for (format, list) in [
                    (JSONFormat() as any EventFormat, "/data/truncated"), (OCSFFormat(), "/unmapped/truncated"),
                    (ECSFormat(), "/gatehouse/truncated"),
                ] {
                    let whole = ReadJSON.leaves(try JSONTape.object(render(format, event, original: false)))
                    let short = ReadJSON.leaves(
                        try JSONTape.object(render(format, event, original: false, limit: limit)))
                    let touched = short.filter { Self.covers(list, $0.key) }.values.compactMap { $0 as? String }
                    for (path, value) in whole where !touched.contains(where: { Self.covers($0, path) }) {
                        #expect(short[path] == value, "\(format.name) \(path)")
                    }
                    for path in touched {
                        guard let cut = short[path] as? String, let text = whole[path] as? String else { continue }
                        #expect(text.unicodeScalars.starts(with: cut.unicodeScalars))
                    }
                }
            }
        }
    }

    /// Byte by byte: what follows a slash may be a mark that joins it.
    private static func covers(_ pointer: String, _ path: String) -> Bool {
        path == pointer || path.utf8.starts(with: (pointer + "/").utf8)
    }

    private func shortenedPairs(_ event: EventView, _ limit: Int) throws {
        let cef = try CEFLine(text(render(CEFFormat(), event))).fields
        let shortCEF = try CEFLine(text(render(CEFFormat(), event, limit: limit))).fields
        compare(cef, shortCEF, list: "flexString1")
        let leef = try LEEFLine(text(render(LEEFFormat(), event))).fields
        let shortLEEF = try LEEFLine(text(render(LEEFFormat(), event, limit: limit))).fields
        compare(leef, shortLEEF, list: "truncated")
    }

    private func compare(_ whole: [String: String], _ short: [String: String], list: String) {
        let touched = Set((short[list] ?? "").split(separator: ",").map(String.init))
        for (key, value) in whole where !touched.contains(key.replacing(/Label$/, with: "")) {
            #expect(short[key] == value, "\(key)")
        }
        for key in touched {
            guard let cut = short[key] else { continue }
            #expect(whole[key]?.unicodeScalars.starts(with: cut.unicodeScalars) == true, "\(key)")
            #expect(whole[key] != cut, "\(key)")
        }
    }
}
