import Events
import Foundation
import JSON
import TestSupport
import Testing

@testable import Targets

@Suite("Readers that are not ours")
struct PairReaderTests {
    private static let hostile: [EventView] = FormatRoundTripTests.seeds.compactMap { seed in
        var writer = HostileWriter(seed: seed)
        return try? FormatSample.full(.visitorSignin, text: writer.text())
    }

    /// Every sample, and hostile texts.
    private func lines(_ format: any EventFormat) throws -> [String] {
        try (FormatSample.all.map(\.event) + Self.hostile).map { text(try render(format, $0)) }
    }

    private static func scalars(_ text: String?) -> [Unicode.Scalar]? { text.map { Array($0.unicodeScalars) } }

    /// Foundation's reader of JSON drops a byte order mark at the beginning of a text.
    private static func unmarked(_ text: String?) -> [Unicode.Scalar]? {
        text.map { Array($0.unicodeScalars.drop { $0 == "\u{FEFF}" }) }
    }

    // MARK: pycef

    /// Reads CEF, one JSON string a line, and prints what it understood of each as JSON.
    private static let pycef = """
        import json, sys, pycef
        for line in sys.stdin.buffer.read().split(b"\\n"):
            if line:
                print(json.dumps(pycef.parse(json.loads(line))))
        """

    @Test("pycef gets every field of CEF", .enabled(if: PythonEnvironment.isAvailable))
    func cefByPython() throws {
        let lines = try lines(CEFFormat())
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
                let found = (read[own.fields[key + "Label"] ?? key] as? String).map(Self.unescaped)
                #expect(Self.scalars(found) == Self.scalars(value), "\(key) of \(line)")
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

    // MARK: liblognorm, the parser of rsyslog

    private static let lognormalizer = "/usr/bin/lognormalizer"
    private static let hasLognormalizer =
        ProcessInfo.processInfo.environment["CI"] != nil
        || FileManager.default.isExecutableFile(atPath: lognormalizer)

    private func normalised(_ lines: [String], _ rule: String) throws -> [[String: Any]] {
        let folder = TemporaryDirectory()
        let rules = try folder.write("rulebase", "version=2\nrule=:\(rule)\n")
        let result = try run(Self.lognormalizer, ["-r", rules], input: lines.map { $0 + "\n" }.joined())
        try #require(result.status == 0, "\(result.output)")
        let outputs = result.output.split(separator: "\n")
        try #require(outputs.count == lines.count)
        return try outputs.map { try JSONTape.object(Array($0.utf8)) }
    }

    /// Up to version 2.0.6 its parser of CEF skips one byte behind the header, which takes the first letter of the first key
    /// (rsyslog/liblognorm, issue 363). A space there satisfies both.
    @Test("liblognorm gets every field of CEF", .enabled(if: hasLognormalizer), arguments: ["", " "])
    func cefByRsyslog(space: String) throws {
        let lines = try lines(CEFFormat())
        let sent = lines.map { $0.replacing(/^(CEF:0\|(?:[^|]*\|){6})/) { "\($0.1)\(space)" } }
        for (line, read) in zip(lines, try normalised(sent, "%cef:cef%")) {
            let own = try CEFLine(line)
            let cef = try #require(read["cef"] as? [String: Any], "\(line)")
            #expect(cef["SignatureID"] as? String == own.header[4] && cef["Name"] as? String == own.header[5])
            #expect(cef["Severity"] as? String == own.header[6])
            var found = try #require(cef["Extensions"] as? [String: String])
            let first = try #require(own.order.first)
            if space.isEmpty, let value = found.removeValue(forKey: String(first.dropFirst())) { found[first] = value }
            #expect(found.count == own.fields.count)
            for (key, value) in own.fields {
                #expect(Self.unmarked(found[key]) == Self.unmarked(value), "\(key) of \(line)")
            }
        }
    }

    /// LEEF in its language.
    private static let leef =
        "%version:char-to:|%|%vendor:char-to:|%|%product:char-to:|%|%productVersion:char-to:|%|%event:char-to:|%|"
        + #"%delimiter:char-to:|%|%{"name":"pairs","type":"repeat","parser":[{"type":"char-to","extradata":"=","#
        + #""name":"key"},{"type":"literal","text":"="},{"type":"char-sep","extradata":"^","name":"value"}],"#
        + #""while":[{"type":"literal","text":"^"}]}%"#

    @Test("liblognorm gets every attribute of LEEF", .enabled(if: hasLognormalizer))
    func leefByRsyslog() throws {
        let lines = try lines(LEEFFormat())
        for (line, read) in zip(lines, try normalised(lines, Self.leef)) {
            let own = try LEEFLine(line)
            #expect(read["event"] as? String == own.header[4] && read["delimiter"] as? String == "^", "\(line)")
            let pairs = try #require(read["pairs"] as? [[String: String]], "\(line)")
            #expect(pairs.count == own.fields.count)
            for pair in pairs {
                let value = own.fields[pair["key"] ?? ""]
                #expect(Self.unmarked(pair["value"]) == Self.unmarked(value), "\(pair) of \(line)")
            }
        }
    }

    // MARK: syslog-ng

    /// It sees a pair at every word before a `=`, whatever stands between pairs, and takes quotation marks at a value's
    /// beginning for its own: not for texts that visitors type.
    @Test(
        "syslog-ng gets every attribute of LEEF but for texts with a = or a quotation mark in front",
        .enabled(if: SyslogNG.isAvailable))
    func leefBySyslogNG() throws {
        let lines = try lines(LEEFFormat()).filter { line in
            try LEEFLine(line).fields.values.map { Array($0.unicodeScalars) }.allSatisfy { value in
                !value.contains("=") && value.first != "\"" && value.first != "'"
            }
        }
        #expect(lines.count > 60)
        let output = try SyslogNG.parsed(
            lines,
            """
            parser { csv-parser(columns("version", "vendor", "product", "productVersion", "event", "delimiter", "rest")
              prefix("header.") delimiters(chars("|")) flags(greedy)); };
            parser { kv-parser(prefix("pairs.") template("${header.rest}") value-separator("=") pair-separator("^")); };
            """, "header.event header.delimiter pairs.*")
        try #require(output.count == lines.count)
        for (line, read) in zip(lines, output) {
            let own = try LEEFLine(line)
            let header = try #require(read["header"] as? [String: String])
            #expect(header == ["event": own.header[4], "delimiter": "^"])
            let pairs = try #require(read["pairs"] as? [String: String])
            #expect(pairs.count == own.fields.count)
            for (key, value) in own.fields {
                #expect(Self.unmarked(pairs[key]) == Self.unmarked(value), "\(key) of \(line)")
            }
        }
    }
}

extension SyslogNG {
    /// What it makes of lines on its standard input: it ends with them.
    /// - Parameters:
    ///   - parsers: of its configuration.
    ///   - names: of what they found, in the language of `format-json`.
    static func parsed(_ lines: [String], _ parsers: String, _ names: String) throws -> [[String: Any]] {
        let own = TemporaryDirectory()
        let configuration = try own.write(
            "syslog-ng.conf",
            """
            @version: 3.38
            options { flush-lines(1); stats-freq(0); };
            log {
              source { stdin(flags(no-parse)); };
              \(parsers)
              destination { file("\(own.file("parsed"))" template("$(format-json \(names))\\n")); };
            };

            """)
        let result = try run(
            folder + "/usr/sbin/syslog-ng",
            [
                "-F", "-f", configuration, "--module-path=\(try modules())", "-R", own.file("persist"), "-c",
                own.file("control"), "-p", own.file("pid"), "--no-caps",
            ], input: lines.map { $0 + "\n" }.joined(), environment: ["LD_LIBRARY_PATH": libraries()])
        try #require(result.status == 0, "\(result.output)")
        let written = try #require(FileManager.default.contents(atPath: own.file("parsed")))
        return try written.split(separator: 0x0A).map { try JSONTape.object(Array($0)) }
    }

    private static func libraries() -> String {
        ["/usr/lib", "/lib"].flatMap { base in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + base)) ?? []
            return names.map { "\(folder)\(base)/\($0)" }
        }.joined(separator: ":")
    }
}
