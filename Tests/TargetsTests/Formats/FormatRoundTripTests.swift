import Events
import Foundation
import JSON
import Testing

@testable import Targets

@Suite("What a reader of a format gets")
struct FormatRoundTripTests {
    /// Seeds of hostile texts; each event has one of them everywhere.
    static let seeds: [UInt64] = Array(1...60)

    private static func events(_ seed: UInt64) throws -> [EventView] {
        var writer = HostileWriter(seed: seed)
        let type = CanonicalType.allCases[Int(seed) % CanonicalType.allCases.count]
        return try [FormatSample.full(type, text: writer.text(), hasActor: seed % 3 == 0)]
            + (try [Sample.event(type.rawValue, name: writer.text())])
    }

    @Test("is what the event says, of every event with hostile texts", arguments: FormatReader.formats, seeds)
    func whole(named: FormatReader.NamedFormat, seed: UInt64) throws {
        let reader = try FormatReader.of(named.format)
        for event in try Self.events(seed) {
            let line = try render(named.format, event)
            try reader.check(event, line)
            #expect(Self.isOneRecord(line, of: named.format))
            #expect(reader.touched(try reader.fields(line)).isEmpty)
        }
    }

    @Test("is what the event says, of texts that a JSON text can hold only escaped", arguments: FormatReader.formats)
    func escaped(named: FormatReader.NamedFormat) throws {
        let reader = try FormatReader.of(named.format)
        let name = #""\u0041\u00e9\ud83d\ude00\u2028\u202e\ufeff\u0000\u001f\/\b\f\n\r\t\"\\""#
        let event = try Sample.event(
            replacing: ["visitor": #"{"id":"\u0031","name":\#(name)}"#, "additional": "{\(name):\(name)}"],
            original: "{\(name):\(name)}")
        let line = try render(named.format, event)
        try reader.check(event, line)
        #expect(Self.isOneRecord(line, of: named.format))
    }

    @Test("lacks the sender's payload where that is withheld", arguments: FormatReader.formats)
    func withheld(named: FormatReader.NamedFormat) throws {
        let event = try Sample.event(original: #"{"secret":"of the sender"}"#)
        let line = try? render(named.format, event, original: false)
        #expect(named.format.isSendersOwn == (line == nil))
        if let line { #expect(!text(line).contains("of the sender")) }
    }

    @Test(
        "of a shortened line is the same but for what it lists", arguments: FormatReader.formats, seeds.prefix(12))
    func shortened(named: FormatReader.NamedFormat, seed: UInt64) throws {
        let reader = try FormatReader.of(named.format)
        guard reader.list != nil else { return }
        for event in try Self.events(seed) {
            let whole = try reader.fields(render(named.format, event, original: false))
            for limit in [1024, 2000] {
                let line = try render(named.format, event, original: false, limit: limit)
                #expect(line.count <= limit && Self.isOneRecord(line, of: named.format))
                compare(whole, try reader.fields(line), reader)
            }
        }
    }

    private func compare(_ whole: [String: NSObject], _ short: [String: NSObject], _ reader: FormatReader) {
        let touched = reader.touched(short)
        for (path, value) in whole where !touched.contains(where: { reader.covers($0, path) }) {
            #expect(short[path] == value, "\(path)")
        }
        for path in touched {
            guard let cut = short[path] as? String, let text = whole[path] as? String else { continue }
            #expect(text.unicodeScalars.starts(with: cut.unicodeScalars) && text != cut, "\(path)")
        }
    }

    /// As they are left for a format by what stands before it in a message: also less than nothing.
    @Test("of every size is a record that is no longer, or none at all", arguments: FormatReader.formats)
    func sizes(named: FormatReader.NamedFormat) throws {
        let reader = try FormatReader.of(named.format)
        let hostile = "né\u{1F600}=\\|^\"\n\u{2028}] 名前 "
        let event = try Sample.event(name: String(repeating: hostile, count: 4))
        let whole = try render(named.format, event, original: named.format.isSendersOwn)
        var isPossible = false
        for limit in Array(stride(from: -3, to: whole.count, by: 7)) + [whole.count, whole.count + 1] {
            let line: [UInt8]
            do {
                line = try render(named.format, event, original: named.format.isSendersOwn, limit: limit)
            } catch is RenderingError {
                #expect(!isPossible, "\(limit) bytes are not enough, though fewer are")
                continue
            }
            isPossible = true
            #expect(line.count <= limit && Self.isOneRecord(line, of: named.format), "\(limit)")
            let fields = try reader.fields(line)
            #expect((line == whole) == (limit >= whole.count) && (line == whole) == reader.touched(fields).isEmpty)
        }
        #expect(isPossible)
    }

    /// Neither a reader of lines nor one of NUL-terminated texts sees two.
    private static func isOneRecord(_ line: [UInt8], of format: any EventFormat) -> Bool {
        String(validating: line, as: UTF8.self) != nil && !line.contains { $0 == 0x0A || $0 == 0x0D || $0 == 0 }
            && line.starts(with: format.lineOpening.utf8)
    }
}
