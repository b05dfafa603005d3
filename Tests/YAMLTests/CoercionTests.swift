import Testing

@testable import YAML

@Suite("Values as a reader wants them")
struct CoercionTests {
    /// What a reader makes of a value, or what it complains of.
    private func read<T>(_ value: String, _ body: (YAMLNode, inout Diagnostics) -> T?) throws -> String {
        let node = try #require(try parsed("a: \(value)\n")["a"])
        var diagnostics = Diagnostics()
        let result = body(node, &diagnostics)
        #expect((result == nil) == diagnostics.hasErrors)
        return result.map { "\($0)" } ?? diagnostics.description
    }

    @Test(
        "booleans are exactly true and false",
        arguments: [
            ("true", "true"), ("false", "false"),
            ("yes", "a.yaml:1:4: write true or false, not `yes` (did you mean true?)"),
            ("No", "a.yaml:1:4: write true or false, not `No` (did you mean false?)"),
            ("off", "a.yaml:1:4: write true or false, not `off` (did you mean false?)"),
            ("True", "a.yaml:1:4: write true or false, not `True` (did you mean true?)"),
            ("\"true\"", "a.yaml:1:4: write true or false, without quotes, not `true` (did you mean true?)"),
            ("7", "a.yaml:1:4: write true or false, not `7`"),
            ("[true]", "a.yaml:1:4: expected true or false, found a list"),
            ("", "a.yaml:1:3: expected true or false, found nothing; remove the key, or write \"\" for an empty text"),
        ])
    func booleans(_ text: String, _ expected: String) throws {
        #expect(try read(text) { $0.boolean(&$1) } == expected)
    }

    @Test(
        "whole numbers are decimal digits in their range",
        arguments: [
            ("7", "7"), ("-3", "-3"), ("0", "0"), ("\"8\"", "8"),
            ("11", "a.yaml:1:4: expected a whole number from -5 to 10, found `11`"),
            ("07", "a.yaml:1:4: expected a whole number from -5 to 10, found `07`"),
            ("0x7", "a.yaml:1:4: expected a whole number from -5 to 10, found `0x7`"),
            ("+7", "a.yaml:1:4: expected a whole number from -5 to 10, found `+7`"),
            ("--7", "a.yaml:1:4: expected a whole number from -5 to 10, found `--7`"),
            ("1e1", "a.yaml:1:4: expected a whole number from -5 to 10, found `1e1`"),
            ("99999999999999999999", "a.yaml:1:4: expected a whole number from -5 to 10, found `99999999999999999999`"),
        ])
    func integers(_ text: String, _ expected: String) throws {
        #expect(try read(text) { $0.integer(in: -5...10, &$1) } == expected)
    }

    @Test(
        "durations are a whole number and a unit",
        arguments: [
            ("300ms", 300), ("10s", 10_000), ("5m", 300_000), ("24h", 86_400_000), ("7d", 604_800_000), ("0s", 0),
        ] as [(String, Int64)])
    func durations(_ text: String, _ milliseconds: Int64) throws {
        #expect(try read(text) { $0.duration(&$1) } == "\(Duration.milliseconds(milliseconds))")
    }

    @Test(
        "what is no duration is told with examples, and with what was probably meant",
        arguments: [
            ("10", "10s"), ("10 s", "10s"), ("5min", "5m"), ("2 hours", "2h"), ("10S", "10s"), ("1.5h", nil),
            ("-1s", nil),
            ("s", nil), ("1h30m", nil), ("99999999999999999d", nil), ("40000d", nil), ("1w", nil),
        ] as [(String, String?)])
    func wrongDurations(_ text: String, _ suggestion: String?) throws {
        let hint = suggestion.map { " (did you mean \($0)?)" } ?? ""
        #expect(
            try read(text) { $0.duration(&$1) }
                == "a.yaml:1:4: expected a duration such as 300ms, 10s, 5m, 24h or 7d, found `\(text)`\(hint)")
    }

    @Test("a duration outside its limits is told with the limits")
    func durationLimits() throws {
        let limits = Duration.seconds(1) ... .seconds(120)
        #expect(try read("60s") { $0.duration(in: limits, &$1) } == "\(Duration.seconds(60))")
        #expect(
            try read("1h") { $0.duration(in: limits, &$1) }
                == "a.yaml:1:4: expected a duration from 1s to 2m, found `1h`")
    }

    @Test(
        "sizes are bytes or a binary unit",
        arguments: [
            ("500B", 500), ("1KiB", 1024), ("64MiB", 64 << 20), ("20GiB", 20 << 30), ("2TiB", 2 << 40), ("4096", 4096),
            ("0", 0),
        ])
    func sizes(_ text: String, _ bytes: Int) throws {
        #expect(try read(text) { $0.size(&$1) } == "\(bytes)")
    }

    @Test(
        "what is no size is told with examples, and with what was probably meant",
        arguments: [
            ("64MB", "64MiB"), ("64M", "64MiB"), ("64 mib", "64MiB"), ("1kb", "1KiB"), ("1.5GiB", nil), ("MiB", nil),
            ("-1B", nil),
            ("9999999999999TiB", nil), ("10s", nil),
        ] as [(String, String?)])
    func wrongSizes(_ text: String, _ suggestion: String?) throws {
        let hint = suggestion.map { " (did you mean \($0)?)" } ?? ""
        #expect(
            try read(text) { $0.size(&$1) }
                == "a.yaml:1:4: expected a size such as 500B, 1KiB, 64MiB or 20GiB, found `\(text)`\(hint)")
    }

    @Test(
        "a text is any scalar but an unquoted null",
        arguments: [
            ("No", "No"), ("04567", "04567"), ("\"null\"", "null"), ("\"\"", ""),
            ("null", "a.yaml:1:4: expected a text, found null; remove the key, or write \"null\" for the word"),
            ("~", "a.yaml:1:4: expected a text, found null; remove the key, or write \"~\" for the word"),
            ("{b: c}", "a.yaml:1:4: expected a text, found a mapping"),
        ])
    func strings(_ text: String, _ expected: String) throws {
        #expect(try read(text) { $0.string(&$1) } == expected)
    }

    @Test("a value stands for a list of one")
    func lists() throws {
        #expect(try read("[a, b]") { $0.strings(&$1) } == "[\"a\", \"b\"]")
        #expect(try read("a") { $0.strings(&$1) } == "[\"a\"]")
        #expect(try read("[]") { $0.strings(&$1) } == "[]")
    }

    @Test(
        "a choice is one of its words",
        arguments: [
            ("udp", "udp"), ("UDP", "a.yaml:1:4: expected one of udp, tcp, tls, found `UDP` (did you mean udp?)"),
            ("carrier-pigeon", "a.yaml:1:4: expected one of udp, tcp, tls, found `carrier-pigeon`"),
        ])
    func choices(_ text: String, _ expected: String) throws {
        #expect(try read(text) { $0.choice(of: ["udp", "tcp", "tls"], &$1) } == expected)
    }

    @Test("a mapping's reader tells what is missing and what nobody asked for")
    func mapping() throws {
        var found = Diagnostics()
        let node = try parsed("vendr: signinapp\nsecrets: [x]\ncolour: blue\n")
        var reader = try #require(MappingReader(node, "source london", &found))
        #expect(reader.required("vendor", &found) == nil)
        #expect(reader.optional("secrets")?.elements?.count == 1)
        #expect(reader.rest.map(\.name) == ["vendr", "colour"])
        reader.finish(&found)
        #expect(
            found.description == """
                a.yaml:1:1: source london needs `vendor:`
                a.yaml:1:1: unknown key `vendr` in source london (did you mean vendor?)
                a.yaml:3:1: unknown key `colour` in source london; known are vendor, secrets
                """)
        #expect(MappingReader(try parsed("[a]"), "target siem", &found) == nil)
        #expect(found.all.last?.message == "target siem must be a mapping (`key: value`), found a list")
    }
}
