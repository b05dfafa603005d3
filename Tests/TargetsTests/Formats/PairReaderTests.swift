import Events
import Foundation
import JSON
import TestSupport
import Testing

@testable import Targets

@Suite("Readers that are not ours")
struct PairReaderTests {
    /// Reads CEF, one JSON string a line, and prints what it understood of each as JSON.
    private static let pycef = """
        import json, sys, pycef
        for line in sys.stdin.buffer.read().split(b"\\n"):
            if line:
                print(json.dumps(pycef.parse(json.loads(line))))
        """

    @Test("pycef gets every field of every sample and of hostile texts", .enabled(if: PythonEnvironment.isAvailable))
    func cef() throws {
        var events = FormatSample.all.map(\.event)
        for seed in FormatRoundTripTests.seeds {
            var writer = HostileWriter(seed: seed)
            events.append(try FormatSample.full(.visitorSignin, text: writer.text()))
        }
        let lines = try events.map { text(try render(CEFFormat(), $0)) }
        let result = try run(
            PythonEnvironment.program("python"), ["-c", Self.pycef], input: lines.map { quoted($0) + "\n" }.joined())
        try #require(result.status == 0, "\(result.output)")
        let outputs = result.output.split(separator: "\n")
        try #require(outputs.count == lines.count)
        for (line, output) in zip(lines, outputs) {
            let read = try JSONTape.object(Array(output.utf8))
            let own = try CEFLine(line)
            #expect(
                read["DeviceEventClassID"] as? String == own.header[4] && read["Severity"] as? String == own.header[6])
            for (key, value) in own.fields where !key.hasSuffix("Label") {
                // It puts the value of a custom field under its label, and leaves escapes as they are.
                let name = own.fields[key + "Label"] ?? key
                let found = (read[name] as? String).map(Self.unescaped)
                #expect(found.map { Array($0.unicodeScalars) } == Array(value.unicodeScalars), "\(key) of \(line)")
            }
        }
    }

    /// LEEF in the language of rsyslog's liblognorm.
    private static let leef = #"""
        version=2
        rule=:%version:char-to:|%|%vendor:char-to:|%|%product:char-to:|%|%productVersion:char-to:|%|%event:char-to:|%|%delimiter:char-to:|%|%{"name":"pairs","type":"repeat","parser":[{"type":"char-to","extradata":"=","name":"key"},{"type":"literal","text":"="},{"type":"char-sep","extradata":"^","name":"value"}],"while":[{"type":"literal","text":"^"}]}%

        """#

    private static let lognormalizer = "/usr/bin/lognormalizer"
    private static let hasLognormalizer =
        ProcessInfo.processInfo.environment["CI"] != nil
        || FileManager.default.isExecutableFile(atPath: lognormalizer)

    @Test("liblognorm gets every attribute of every sample and of hostile texts", .enabled(if: hasLognormalizer))
    func leef() throws {
        let folder = TemporaryDirectory()
        let rules = try folder.write("leef.rulebase", Self.leef)
        var events = FormatSample.all.map(\.event)
        for seed in FormatRoundTripTests.seeds {
            var writer = HostileWriter(seed: seed)
            events.append(try FormatSample.full(.visitorSignin, text: writer.text()))
        }
        let lines = try events.map { text(try render(LEEFFormat(), $0)) }
        let result = try run(Self.lognormalizer, ["-r", rules], input: lines.map { $0 + "\n" }.joined())
        try #require(result.status == 0, "\(result.output)")
        let outputs = result.output.split(separator: "\n")
        try #require(outputs.count == lines.count)
        for (line, output) in zip(lines, outputs) {
            let read = try JSONTape.object(Array(output.utf8))
            let own = try LEEFLine(line)
            #expect(read["event"] as? String == own.header[4] && read["delimiter"] as? String == "^", "\(line)")
            let pairs = try #require(read["pairs"] as? [[String: String]], "\(line)")
            #expect(pairs.count == own.fields.count)
            for pair in pairs {
                // Foundation's reader of JSON drops a byte order mark at the beginning of a text.
                let value = own.fields[pair["key"] ?? ""].map { Array($0.unicodeScalars.drop { $0 == "\u{FEFF}" }) }
                #expect(pair["value"].map { Array($0.unicodeScalars) } == value, "\(pair) of \(line)")
            }
        }
    }

    private static func unescaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var scalars = text.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "\\", let escaped = scalars.next() else {
                result.append(scalar)
                continue
            }
            result.append(escaped == "n" ? "\n" : escaped == "r" ? "\r" : escaped)
        }
        return String(result)
    }
}
