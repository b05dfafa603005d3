import Testing

@testable import Targets

@Suite("A template that names what the target's field policy takes away") struct NamedFieldTests {
    private func messages(_ keys: String) throws -> [String] {
        try decode("type: http\nurl: https://x.example/p\n" + keys, name: "crm").messages
    }

    @Test(
        "is warned of where it stands, wherever a template may stand",
        arguments: [
            ("redact: [visitor.email]\nkey: \"{visitor.email|lower}\"", "4:6", "visitor.email"),
            ("redact: [visitor.phone]\nbody: {a: {b: [\"{?visitor.phone}\"]}}", "4:16", "visitor.phone"),
            ("redact: [visitor.phone]\nbody: {a: \"tel {visitor.phone|default:none}\"}", "4:11", "visitor.phone"),
            ("redact: [visitor.phone]\nbody: {a: \"{visitor.email|or:visitor.phone}\"}", "4:11", "visitor.phone"),
            ("redact: [personal.Car Reg]\nbody: {a: \"{personal.Car Reg}\"}", "4:11", "personal.Car Reg"),
            ("redact: [additional]\nbody: {a: \"{additional.NDA}\"}", "4:11", "additional.NDA"),
            ("redact: [visitor]\nbody: {a: \"{visitor.name}\", b: \"{visitor}\"}", "4:11", "visitor.name"),
            ("redact: [visitor]\nbody: {b: \"{visitor}\"}", "4:11", "visitor"),
            ("only: [visitor.email]\nbody: {b: \"{site.name}\"}", "4:11", "site.name"),
            (
                "redact: [visitor.id]\nbatch: {wrap: ndjson, before: {i: \"{visitor.id}\"}}\nbody: {}", "4:35",
                "visitor.id"
            ),
            (
                "redact: [visitor.id]\nbatch: {}\nresponse: {items: {at: /r, id: /i, event: \"{visitor.id}\"}}",
                "5:43", "visitor.id"
            ),
        ])
    func warned(keys: String, place: String, name: String) throws {
        let messages = try messages(keys)
        #expect(
            messages.first
                == "\(place): warning: {\(name)} is removed by this target's field policy: there is never anything of it to write; "
                + "leave it out here, or let the policy keep it", "\(messages)")
    }

    @Test("is not warned of where something of it is left")
    func silent() throws {
        for keys in [
            "redact: [visitor.phone]\nbody: {a: \"{visitor}\", b: \"{visitor.email}\", c: \"{time}\", d: \"{subject}\"}",
            "truncate: {visitor.name: 3}\nbody: {a: \"{visitor.name}\"}",
            "coarsen: {visit.started_at: day}\nbody: {a: \"{visit.started_at}\"}",
            "hash: {key: 0123456789abcdef0123456789abcdef, fields: [visitor.email]}\nkey: \"{visitor.email}\"",
            "only: [personal.role, visitor.id]\nbody: {a: \"{personal.role}\", b: \"{id}\", c: \"{source}\"}",
            "redact: [personal.role]\nbody: {a: \"{personal.Role}\", b: \"{personal}\"}",
            "body: {a: \"{visitor.name}\"}",
        ] { #expect(try messages(keys) == [], "\(keys)") }
    }

    @Test("files and syslog are warned of as well; of a preset only what it needs")
    func types() throws {
        let file =
            "type: file\npath: /tmp/x.ndjson\nredact: [visitor.name]\nformat: {template: {n: \"{visitor.name}\"}}"
        #expect(try decode(file).messages.first?.hasPrefix("4:24: warning: {visitor.name} is removed") == true)
        let syslog =
            "type: syslog\naddress: tcp://x.example:601\nredact: [visitor]\nformat: {template: {n: \"{visitor.name}\"}}"
        #expect(try decode(syslog).messages.first?.hasPrefix("4:24: warning: {visitor.name} is removed") == true)
        let hubspot = "type: http\npreset: hubspot\ntoken: t\n"
        #expect(try decode(hubspot + "redact: [visitor.phone, visitor.company]").messages == [])
        let messages = try decode(hubspot + "redact: [visitor.email]").messages
        #expect(messages.count == 1 && messages[0].hasPrefix("2:9: warning: {visitor.email} is removed"), "\(messages)")
    }
}
