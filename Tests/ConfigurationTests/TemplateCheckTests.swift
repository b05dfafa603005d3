import Testing

@Suite("A template that names what no source keeps")
struct TemplateCheckTests {
    /// A target and a route to it from two sources, by the keys that differ.
    private func warnings(
        london: String = "", paris: String = "", target: String = "body: {n: \"{visitor.email}\"}", when: String = ""
    ) throws -> [String] {
        let folder = try ConfigurationFolder([
            "gatehouse.yaml": """
            sources:
              london: {vendor: signinapp, verify: none\(london)}
              paris: {vendor: sine, verify: none\(paris)}
            targets:
              crm: {type: http, url: "https://x.example/", \(target)}
            routes: ./routes.yaml
            """,
            "routes.yaml": "routes:\n  - {name: some, to: crm, when: {event: visitor.signin\(when)}}\n",
        ])
        let (configuration, messages) = folder.load()
        #expect(configuration != nil, "\(messages)")
        return messages.filter { $0.contains("is removed by the field policy") }
    }

    @Test("is warned of where it stands, with the sources")
    func warned() throws {
        let both = try warnings(london: ", redact: [visitor.email]", paris: ", only: [visitor.name]")
        #expect(
            both == [
                "gatehouse.yaml:5:58: warning: {visitor.email} is removed by the field policy of london and paris, and no "
                    + "other source's events come here: there is never anything of it to write; leave it out here, or let "
                    + "the policy keep it"
            ])
        let key = try warnings(
            london: ", redact: [visitor]", target: "key: \"{visitor.email|lower}\", body: {n: \"{original}\"}",
            when: ", source: london")
        #expect(key.count == 2)
        #expect(key.contains { $0.contains("5:53: warning: {visitor.email} is removed by the field policy of london") })
        #expect(key.contains { $0.contains("{original} is removed by the field policy of london") })
    }

    @Test("is not warned of where events of another source may have it, or something of it is left")
    func silent() throws {
        #expect(try warnings() == [])
        #expect(try warnings(london: ", redact: [visitor.email]") == [])
        #expect(try warnings(london: ", redact: [visitor.email]", when: ", source: paris") == [])
        #expect(try warnings(london: ", redact: [visitor.phone]", paris: ", redact: [visitor.phone]") == [])
        let keyed = ", hash: {key: 0123456789abcdef0123456789abcdef, fields: visitor.email}"
        #expect(try warnings(london: keyed, paris: keyed) == [])
        #expect(
            try warnings(london: ", redact: [visitor.email]", target: "enabled: false", when: ", source: london") == [])
    }
}
