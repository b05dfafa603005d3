import Events
import TestSupport
import Testing

@testable import Targets

@Suite("syslog-ng", .serialized, .enabled(if: SyslogNG.isAvailable))
struct SyslogNGTests {
    private static let data = "enterprise: 32473, structured_data: {visit: {name: visitor.name, site: site.id}}"

    private static func keys(_ source: SyslogNG.Source) -> String {
        switch source {
        case .counted, .tls: data
        case .lines: "framing: newline, \(data)"
        case .legacy: "framing: newline, header: rfc3164"
        }
    }

    private static func send(
        _ events: [EventView], _ receiver: SyslogNG, _ source: SyslogNG.Source, _ format: String
    ) async throws -> SyslogBlueprint {
        let client = try receiver.authority.issue(["DNS:gatehouse.test"])
        let scheme = source == .tls ? "tls" : "tcp"
        let tls =
            source == .tls
            ? ", tls: {ca: \(receiver.authority.caFile), cert: \(client.certFile), key: \(client.keyFile)}" : ""
        let (decoded, messages) = try decode(
            """
            {type: syslog, address: "\(scheme)://127.0.0.1:\(receiver.port(source))", allow: 127.0.0.1/32, \
            format: \(format), hostname: lobby.test, \(keys(source))\(tls)}
            """)
        #expect(messages == [])
        let blueprint = try #require(decoded as? SyslogBlueprint)
        let target = try blueprint.make(testContext())
        for event in events { #expect(await target.send(Sample.outgoing(event)).receipt != nil) }
        let isThere = await poll(deadline: .seconds(30)) { ((try? receiver.records.count) ?? 0) >= events.count }
        #expect(isThere, "\((try? receiver.records.count) ?? 0) of \(events.count)")
        target.close()
        return blueprint
    }

    @Test(
        "reads back header, structured data and text of what is sent, each message as one",
        arguments: SyslogNG.Source.allCases, ["json", "cef"])
    func receives(source: SyslogNG.Source, format: String) async throws {
        let receiver = try await SyslogNG()
        let events = try Hostile.texts.filter { !$0.utf8.contains(0) }.map { try Sample.event(name: $0) }
        let blueprint = try await Self.send(events, receiver, source, format)
        let records = try receiver.records
        #expect(records.count == events.count)
        for (record, event) in zip(records, events) {
            #expect(record.host == "lobby.test" && record.app == "gatehouse" && record.pri == "166")
            #expect(record.source == source.rawValue)
            let rendered = text(try blueprint.renderer(hostname: "x").render(Sample.outgoing(event)))
            #expect(rendered.trimmingSuffix { $0.isNewline }.hasSuffix(record.msg.trimmingSuffix { $0.isWhitespace }))
            #expect(record.msg.hasPrefix(format == "json" ? "{" : "CEF:0|Gatehouse|"))
            guard source != .legacy else { continue }
            #expect(record.msgid == event.type && record.pid == "")
            #expect(record.time.hasPrefix("2020-01-01T12:00:01"))
            let data = StructuredData(
                elements: [
                    StructuredData.Element(
                        id: "visit@32473",
                        parameters: [
                            StructuredData.Parameter(name: "name", field: FieldReference("visitor.name")!),
                            StructuredData.Parameter(name: "site", field: FieldReference("site.id")!),
                        ])
                ])
            var written: [UInt8] = []
            data.append(for: event, limit: 2000, to: &written)
            #expect(record.sd == text(written), "it writes the values again as it understood them")
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> String {
        var text = self
        while let last = text.last, isTrimmed(last) { text.removeLast() }
        return text
    }
}
