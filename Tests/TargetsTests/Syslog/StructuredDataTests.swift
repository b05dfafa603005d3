import Events
import Testing

@testable import Targets

@Suite("Structured data")
struct StructuredDataTests {
    private func render(_ keys: String, _ event: EventView) throws -> String {
        let (blueprint, messages) = try decode(
            "{type: syslog, address: \"tcp://siem.example:1514\", framing: newline, format: cef, \(keys)}")
        #expect(messages == [])
        let renderer = try #require(blueprint as? SyslogBlueprint).renderer(hostname: "gate.test")
        return try #require(String(validating: try renderer.render(Sample.outgoing(event)), as: UTF8.self))
    }

    @Test("holds the fields that are named, under the organisation's own number")
    func fields() throws {
        let message = try render(
            "enterprise: 32473, structured_data: {visit: {name: visitor.name, event: id}, where: {site: site.id}}",
            try Sample.event(name: "Ada"))
        let event = try Sample.event(name: "Ada")
        #expect(
            message.contains(
                " visitor.signin [visit@32473 name=\"Ada\" event=\"\(try #require(event.id).hex)\"][where@32473 site=")
                || message.contains(" visitor.signin [visit@32473 name=\"Ada\" event="), "\(message)")
        #expect(message.contains("] CEF:0|"))
    }

    @Test("leaves out what an event does not have, and is - when nothing is left")
    func absent() throws {
        let message = try render(
            "enterprise: \"32473.1\", structured_data: {x: {nothing: additional.nothing}}", try Sample.event())
        #expect(message.contains(" visitor.signin - CEF:0|"))
    }

    @Test("escapes three characters and no other, and lets no visitor's name end it or the message")
    func escaping() throws {
        for name in Hostile.texts {
            let message = try render(
                "enterprise: 1, structured_data: {v: {name: visitor.name}}", try Sample.event(name: name))
            #expect(message.filter { $0.unicodeScalars.contains("\n") }.count == 1)
            guard let start = message.firstRange(of: "[v@1 name=\"")?.upperBound else { continue }
            let bytes = Array(message[start...].utf8)
            var value: [UInt8] = []
            var place = 0
            while bytes[place] != UInt8(ascii: "\"") {
                if bytes[place] == UInt8(ascii: "\\") {
                    place += 1
                    #expect("\"\\]".utf8.contains(bytes[place]))
                } else {
                    #expect(bytes[place] != UInt8(ascii: "]"))
                }
                value.append(bytes[place])
                place += 1
            }
            #expect(bytes[place...].starts(with: "\"] CEF:0|".utf8))
            #expect(value.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
            let plain = name.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }
            #expect(plain.starts(with: value))
        }
    }

    @Test("leaves the message its room, however long the texts are", arguments: [1024, 4096, 8000])
    func long(limit: Int) throws {
        for text in ["\"", "é", "a", "👩‍👩‍👧‍👦"] {
            let names = (0..<12).map { "p\($0): visitor.name" }.joined(separator: ", ")
            let message = try render(
                "max_bytes: \(limit), enterprise: 1, structured_data: {v: {\(names)}}",
                try Sample.event(name: String(repeating: text, count: 3000)))
            #expect(message.utf8.count <= limit + 1)
            let start = try #require(message.firstRange(of: " visitor.signin ")?.upperBound)
            let end = try #require(message.firstRange(of: " CEF:0|Gatehouse|")?.lowerBound)
            #expect(message[start..<end].utf8.count <= limit / 4)
            let first = text == "\"" ? "\\\"" : String(text.unicodeScalars.prefix(1))
            #expect(message.unicodeScalars.contains("[v@1 p0=\"\(first)".unicodeScalars))
            #expect(message.contains("externalId="))
        }
    }

    @Test(
        "says what is wrong with it",
        arguments: [
            ("structured_data: {v: {name: visitor.name}}", "needs `enterprise:`"),
            ("enterprise: x, structured_data: {v: {name: visitor.name}}", "private enterprise number"),
            ("enterprise: 1, structured_data: {origin: {name: visitor.name}}", "none of timeQuality, origin, meta"),
            ("enterprise: 1, structured_data: {\"a b\": {name: visitor.name}}", "visible ASCII"),
            ("enterprise: 1, structured_data: {v: {\"a=b\": visitor.name}}", "name of a parameter"),
            ("enterprise: 1, structured_data: {v: {name: visitor.nme}}", "expected a field"),
            ("enterprise: 1, header: rfc3164, structured_data: {v: {name: visitor.name}}", "no place for"),
            ("enterprise: 1", "of which there is none"),
            ("enterprise: 1, structured_data: {}", "`structured_data:` is empty"),
            ("enterprise: 1, structured_data: {v: {}}", "`structured_data.v:` is empty"),
            ("header: rfc3164, bom: true", "no place for `bom:`"),
            ("resend: on", "expected off, or a mapping such as"),
            ("resend: {messages: 0}", "1 to 100000"),
            ("resend: {for: 2h}", "1h"),
        ])
    func wrong(keys: String, expected: String) throws {
        let (blueprint, messages) = try decode("{type: syslog, address: \"tcp://siem.example:1514\", \(keys)}")
        #expect(blueprint == nil)
        #expect(messages.contains { $0.contains(expected) }, "\(messages)")
    }

    @Test("has no window to send again over UDP")
    func datagrams() throws {
        let (_, messages) = try decode("{type: syslog, address: \"udp://siem.example:514\", resend: {messages: 10}}")
        #expect(messages.contains { $0.contains("udp:// has no connections") })
        let (blueprint, _) = try decode("{type: syslog, address: \"udp://siem.example:514\"}")
        #expect(try #require(blueprint).settings.resend == nil)
        let (stream, _) = try decode("{type: syslog, address: \"tls://siem.example\"}")
        #expect(try #require(stream).settings.resend == ResendLimits(messages: 20_000, bytes: 4 << 20))
        let (long, _) = try decode("{type: syslog, address: \"tls://siem.example\", resend: {for: 10m}}")
        #expect(try #require(long).settings.resend == ResendLimits(time: .seconds(600)))
        let (off, _) = try decode("{type: syslog, address: \"tls://siem.example\", resend: off}")
        #expect(try #require(off).settings.resend == nil)
    }
}
