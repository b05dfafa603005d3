import Events
import JSON
import Testing

@testable import Targets

@Suite("format: of a target")
struct FormatDecodingTests {
    private static let file = "type: file\npath: /tmp/x\n"
    private static let syslog = "type: syslog\naddress: \"udp://192.0.2.1\"\nallow: 192.0.2.0/24\n"

    @Test("takes every format by its name, but over syslog not the sender's own", arguments: Formats.all.map(\.name))
    func names(name: String) throws {
        let (file, problems) = try decode("\(Self.file)format: \(name)\n")
        #expect((file as? FileBlueprint)?.format.name == name, "\(problems)")
        let (syslog, refusals) = try decode("\(Self.syslog)format: \(name)\n")
        if name == "original" {
            #expect(syslog == nil)
            #expect(refusals.contains { $0.contains("the sender's own payload") }, "\(refusals)")
        } else {
            #expect((syslog as? SyslogBlueprint)?.format.name == name, "\(refusals)")
        }
    }

    @Test("shows of an event what a syslog target sends, its header counted", arguments: ["json", "cef", "ocsf"])
    func preview(name: String) throws {
        let keys = "max_bytes: 1KiB\nhostname: lobby\nenterprise: 32473\nstructured_data: {v: {n: site.name}}\n"
        let (target, problems) = try decode("\(Self.syslog)format: \(name)\n\(keys)redact: [host]\n")
        let blueprint = try #require(target?.unwrapped as? SyslogBlueprint, "\(problems)")
        let outgoing = try Sample.outgoing(Sample.event(name: String(repeating: "é", count: 900)))
        let shown = try FormatPreview(nil, as: target, hostname: "gate").line(outgoing)
        let policy = try #require(target?.settings.fieldPolicy)
        let message = try blueprint.renderer(hostname: "gate").render(outgoing.under(policy, JSONParser()))
        #expect(message.count <= 1024)
        #expect(message.suffix(shown.count) == shown[...] && shown.count < 1000)
    }

    @Test("is not the sender's own where the target is not given it")
    func withheld() throws {
        let (file, problems) = try decode("\(Self.file)format: original\noriginal: false\n")
        #expect(file == nil)
        #expect(problems.contains { $0.contains("which this target is not given") }, "\(problems)")
    }

    @Test("takes a template, checked as it is read")
    func template() throws {
        let (target, problems) = try decode(
            "\(Self.file)format: {template: {who: \"{visitor.name}\", org: \"{?visitor.company}\", n: 1}}\n")
        let format = try #require((target as? FileBlueprint)?.format, "\(problems)")
        #expect(format.name == "template" && format.lineOpening == "{")
        let hostile = "a\"\n}{"
        #expect(text(try render(format, Sample.event(name: hostile))) == "{\"who\":\(quoted(hostile)),\"n\":1}")
        let short = try render(format, Sample.event(name: String(repeating: "é", count: 900)), limit: 200)
        #expect(short.count <= 200)
        #expect(try JSONTape.object(short)["truncated"] as? [String] == ["/who"])
    }

    @Test(
        "says what is wrong",
        arguments: [
            ("cfe", "did you mean cef?"), ("template", "say what is in it"),
            ("{template: {a: \"{visitor.nam}\"}}", "visitor.name"),
            ("{templat: {}}", "template"), ("{template: {}, cef: 1}", "unknown key"), ("[cef]", "expected"),
            ("{template: {a: \"{original}\"}}", ""),
        ])
    func wrong(format: String, says: String) throws {
        let (target, problems) = try decode("\(Self.syslog)format: \(format)\n")
        #expect(target == nil)
        #expect(problems.contains { $0.contains(says) }, "\(problems)")
    }
}
