import Events
import Testing

@testable import Targets

@Suite("A syslog message")
struct SyslogMessageTests {
    private func renderer(_ keys: String = "", machine: String = "gate.test") throws -> SyslogRenderer {
        let (blueprint, messages) = try decode("{type: syslog, address: \"tcp://siem.example:1514\"\(keys)}")
        #expect(messages == [])
        return try #require(blueprint as? SyslogBlueprint).renderer(hostname: machine)
    }

    private func render(_ renderer: SyslogRenderer, _ event: EventView) throws -> String {
        try #require(String(validating: try renderer.render(Sample.outgoing(event)), as: UTF8.self))
    }

    @Test("has the header of RFC 5424 and counts its octets")
    func header() throws {
        let event = try Sample.event(original: nil)
        let message = "<166>1 2020-01-01T12:00:01.000Z gate.test gatehouse - visitor.signin - \(text(event.payload))"
        #expect(try render(try renderer(), event) == "\(message.utf8.count) \(message)")
        #expect(try render(try renderer(", framing: newline"), event) == message + "\n")
    }

    @Test("never carries the original", arguments: ["json", "cef"])
    func original(format: String) throws {
        let message = try render(try renderer(", format: \(format)"), try Sample.event())
        #expect(!message.contains("original") && !message.contains("1234}}"))
    }

    @Test(
        "takes facility and host name from the configuration",
        arguments: [("local0", 134), ("auth", 38), ("0", 6), ("23", 190)])
    func settings(facility: String, priority: Int) throws {
        let message = try render(
            try renderer(", facility: \(facility), hostname: door-7, framing: newline, format: cef"), try Sample.event()
        )
        #expect(
            message.hasPrefix(
                "<\(priority)>1 2020-01-01T12:00:01.000Z door-7 gatehouse - visitor.signin - CEF:0|Gatehouse|"))
        #expect(message.contains(" dvchost=door-7 "))
    }

    @Test(
        "has the severity of its type",
        arguments: [
            ("visitor.signin", 166), ("configuration.audited", 165), ("visitor.rejected", 164),
            ("visitor.watchlist.denied", 162),
        ])
    func severity(type: String, priority: Int) throws {
        #expect(try render(try renderer(", framing: newline"), try Sample.event(type)).hasPrefix("<\(priority)>1 "))
    }

    @Test("has header fields of visible ASCII, no longer than they may be")
    func fields() throws {
        #expect(SyslogHeader.printable("Zoë's host\n", limit: 255) == "Zo'shost")
        #expect(SyslogHeader.printable(" \n", limit: 255) == "-")
        #expect(SyslogHeader(facility: 20, hostname: String(repeating: "h", count: 300)).hostname.utf8.count == 255)
        let type = "x y\n" + String(repeating: "z", count: 40)
        let message = try render(try renderer(", framing: newline"), try Sample.event(type))
        #expect(message.split(separator: " ")[5] == "xy" + String(repeating: "z", count: 30))
    }

    @Test(
        "keeps its limit, header included, and counts after cutting", arguments: ["json", "cef"], [1024, 4096, 8000])
    func limit(format: String, limit: Int) throws {
        let renderer = try renderer(
            ", format: \(format), max_bytes: \(limit)", machine: String(repeating: "h", count: 255))
        for name in Hostile.texts {
            let framed = try render(renderer, try Sample.event(name: name))
            let space = try #require(framed.utf8.firstIndex(of: UInt8(ascii: " ")))
            let count = try #require(Int(framed[..<space]))
            #expect(count <= limit)
            #expect(framed[space...].utf8.count - 1 == count)
            #expect(!framed.utf8.contains(0x0A) && !framed.utf8.contains(0x0D))
        }
    }

    @Test(
        "has a header of RFC 3164 where that is asked for, with a tag before every format",
        arguments: [("json", "{"), ("cef", "CEF:0|Gatehouse|")])
    func legacy(format: String, opening: String) throws {
        let renderer = try renderer(", header: rfc3164, format: \(format), framing: newline")
        let message = try render(renderer, try Sample.event(original: nil))
        #expect(message.hasPrefix("<166>Jan  1 12:00:01 gate.test gatehouse: \(opening)"))
    }

    @Test("has a byte order mark before the text, and within the limit, where that is asked for")
    func byteOrderMark() throws {
        let renderer = try renderer(", bom: true, framing: newline, max_bytes: 1024")
        let event = try Sample.event(name: String(repeating: "é", count: 3000), original: nil)
        let message = try renderer.render(Sample.outgoing(event))
        let mark = try #require(message.firstRange(of: Array(" - \u{FEFF}{".utf8)))
        #expect(mark.lowerBound < 100)
        #expect(message.count <= 1025)
        #expect(String(validating: message, as: UTF8.self) != nil)
    }

    @Test("ends at a line's end only, whatever a format writes")
    func newline() {
        #expect(text(SyslogFraming.newline.frame(Array("a\nb\r\nc".utf8))) == "a b  c\n")
        #expect(text(SyslogFraming.octetCounting.frame(Array("a\nb".utf8))) == "3 a\nb")
    }

    @Test("of 8000 bytes at the most when nothing is said")
    func defaultLimit() throws {
        #expect(try renderer().maximumBytes == 8000)
    }
}

@Suite("A facility")
struct SyslogFacilityTests {
    @Test(
        "has a name or a number",
        arguments: [
            ("kern", 0), ("user", 1), ("daemon", 3), ("authpriv", 10), ("local0", 16), ("local7", 23), ("20", 20),
        ])
    func known(text: String, number: Int) {
        #expect(SyslogFacility.number(text) == number)
    }

    @Test("is nothing else", arguments: ["24", "-1", "04", "LOCAL0", "", "local8"])
    func unknown(text: String) {
        #expect(SyslogFacility.number(text) == nil)
    }
}
