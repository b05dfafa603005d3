import Events
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Targets

/// A real rsyslogd, receiving on loopback ports of the kernel's choice and writing what it understood as JSON lines.
final class Rsyslog {
    struct Missing: Error, CustomStringConvertible {
        var description: String
    }

    private let folder = TemporaryDirectory()
    private let process = Process()
    let authority: LocalAuthority
    private(set) var tcpPort = 0
    private(set) var tlsPort = 0
    let udpPort = freeDatagramPort()

    /// What rsyslogd read out of one message.
    struct Record: Decodable, Hashable {
        var hostname, app, procid, msgid, severity, facility, time, sd, msg: String
    }

    init() async throws {
        authority = try LocalAuthority()
        let program = "/usr/sbin/rsyslogd"
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw Missing(description: "this test needs \(program): apt-get install rsyslog rsyslog-openssl")
        }
        let identity = try authority.issue()
        let configuration = try folder.write(
            "rsyslog.conf",
            """
            global(workDirectory="\(folder.path)" defaultNetstreamDriverCAFile="\(authority.caFile)"
                   defaultNetstreamDriverCertFile="\(identity.certFile)" defaultNetstreamDriverKeyFile="\(identity.keyFile)")
            module(load="imtcp")
            module(load="imudp")
            template(name="record" type="list" option.jsonf="on") {
              property(outname="hostname" name="hostname" format="jsonf")
              property(outname="app" name="app-name" format="jsonf")
              property(outname="procid" name="procid" format="jsonf")
              property(outname="msgid" name="msgid" format="jsonf")
              property(outname="severity" name="syslogseverity" format="jsonf")
              property(outname="facility" name="syslogfacility" format="jsonf")
              property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
              property(outname="sd" name="structured-data" format="jsonf")
              property(outname="msg" name="msg" format="jsonf")
            }
            input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="\(folder.file("tcp"))")
            input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="\(folder.file("tls"))"
                  streamDriver.name="\(try Self.tlsDriver())" streamDriver.mode="1" streamDriver.authMode="anon")
            input(type="imudp" address="127.0.0.1" port="\(udpPort)")
            action(type="omfile" file="\(folder.file("records"))" template="record")
            """)
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["-n", "-f", configuration, "-i", folder.file("pid")]
        process.standardError = FileHandle(forWritingAtPath: try folder.write("errors", ""))
        try process.run()
        let isUp = await poll(deadline: .seconds(20)) {
            tcpPort = port("tcp")
            tlsPort = port("tls")
            return (tcpPort != 0 && tlsPort != 0 && Self.isBound(udpPort)) || !process.isRunning
        }
        guard isUp, process.isRunning else {
            throw Missing(
                description:
                    "rsyslogd does not start: \(try String(contentsOfFile: folder.file("errors"), encoding: .utf8))")
        }
    }

    deinit {
        // Not by SIGTERM: it inherits the blocked signals of the thread that started it.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// What was received so far, each line whole.
    var records: [Record] {
        get throws {
            guard let bytes = FileManager.default.contents(atPath: folder.file("records")) else { return [] }
            return try bytes.split(separator: 0x0A).dropLast(bytes.last == 0x0A ? 0 : 1).map {
                try JSONDecoder().decode(Record.self, from: $0)
            }
        }
    }

    private func port(_ name: String) -> Int {
        let text = try? String(contentsOfFile: folder.file(name), encoding: .utf8)
        return text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? 0
    }

    /// imudp tells nobody which port the kernel chose.
    private static func freeDatagramPort() -> Int { DatagramReceiver().port }

    private static func isBound(_ port: Int) -> Bool {
        let table = try? String(contentsOfFile: "/proc/net/udp", encoding: .utf8)
        return table?.contains(String(format: "0100007F:%04X ", port)) ?? false
    }

    private static func tlsDriver() throws -> String {
        for (file, driver) in [("lmnsd_ossl.so", "ossl"), ("lmnsd_gtls.so", "gtls")] {
            let folders = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib").map {
                "/usr/lib/\($0)/rsyslog"
            }
            if (folders + ["/usr/lib/rsyslog"]).contains(where: {
                FileManager.default.fileExists(atPath: "\($0)/\(file)")
            }) {
                return driver
            }
        }
        throw Missing(description: "this test needs rsyslog's TLS driver: apt-get install rsyslog-openssl")
    }
}

@Suite("rsyslogd", .serialized)
struct RsyslogTests {
    struct Way: Sendable, CustomTestStringConvertible {
        var scheme: String
        var format: String
        var keys = ""
        var testDescription: String { "\(format) over \(scheme)\(keys)" }
        var isLegacy: Bool { keys.contains("rfc3164") }
    }

    private static let data = ", enterprise: 32473, structured_data: {visit: {name: visitor.name, site: site.id}}"

    private static let ways = [
        Way(scheme: "tcp", format: "json"), Way(scheme: "tcp", format: "cef"), Way(scheme: "tls", format: "json"),
        Way(scheme: "tls", format: "cef", keys: data), Way(scheme: "tcp", format: "json", keys: ", framing: newline"),
        Way(scheme: "udp", format: "json"), Way(scheme: "udp", format: "cef", keys: ", header: rfc3164"),
        Way(scheme: "tcp", format: "leef", keys: ", header: rfc3164"),
        Way(scheme: "tcp", format: "json", keys: ", header: rfc3164, framing: newline"),
    ]

    private static func events() throws -> [EventView] {
        try CanonicalType.allCases.map { try Sample.event($0.rawValue, name: "Visitor of \($0.rawValue)") }
            + Hostile.texts.map { try Sample.event(name: $0, replacing: ["additional": "{\"note\":\(quoted($0))}"]) }
    }

    @Test("reads back every field of what is sent, each message as one", arguments: ways)
    func receives(way: Way) async throws {
        let rsyslog = try await Rsyslog()
        let port = ["tls": rsyslog.tlsPort, "udp": rsyslog.udpPort][way.scheme] ?? rsyslog.tcpPort
        let tls = way.scheme == "tls" ? ", tls: {ca: \(rsyslog.authority.caFile)}" : ""
        let (decoded, messages) = try decode(
            """
            {type: syslog, address: "\(way.scheme)://127.0.0.1:\(port)", allow: [127.0.0.1/32], format: \(way.format), \
            facility: local2, hostname: lobby.test\(way.keys)\(tls)}
            """)
        #expect(messages == [])
        let blueprint = try #require(decoded as? SyslogBlueprint)
        let target = try blueprint.make(testContext())
        var expected: [Rsyslog.Record] = []
        for event in try Self.events() {
            #expect(await target.send(Sample.outgoing(event)).receipt != nil)
            expected.append(try Self.record(of: event, blueprint))
            // Datagrams wait in a buffer that drops what it has no room for.
            guard way.scheme == "udp" else { continue }
            #expect(await poll(deadline: .seconds(20)) { (try? rsyslog.records.count) == expected.count })
        }
        #expect(await poll(deadline: .seconds(20)) { (try? rsyslog.records.count) ?? 0 >= expected.count })
        target.close()
        var records = try rsyslog.records
        #expect(records.count == expected.count)
        if way.isLegacy {
            // It makes up the year.
            for place in records.indices { records[place].time = String(records[place].time.dropFirst(4).prefix(15)) }
        }
        for (record, wanted) in zip(records, expected) { #expect(record == wanted) }
    }

    /// What rsyslogd is to have read, taken from the message's own parts.
    private static func record(of event: EventView, _ blueprint: SyslogBlueprint) throws -> Rsyslog.Record {
        let renderer = blueprint.renderer(hostname: "unused")
        var data: [UInt8] = []
        renderer.structuredData.append(for: event, limit: 2000, to: &data)
        let isLegacy = renderer.header.style == .rfc3164
        let header =
            isLegacy
            ? "<0>" + "Jan  1 12:00:01 lobby.test gatehouse: "
            : "<0>1 2020-01-01T12:00:01.000Z lobby.test gatehouse - \(event.type) \(text(data)) "
        let options = RenderingOptions(
            policy: ContentPolicy(includesOriginal: false, includesBiometrics: false), hostname: "lobby.test",
            limit: 8000 - header.utf8.count - 2)
        let message = text(try blueprint.format.render(Sample.outgoing(event), options))
        return Rsyslog.Record(
            hostname: "lobby.test", app: "gatehouse", procid: "-", msgid: isLegacy ? "-" : event.type,
            severity: String(EventDescription(type: event.type).grade.syslogSeverity), facility: "18",
            time: isLegacy ? "-01-01T12:00:01" : "2020-01-01T12:00:01.000Z", sd: text(data),
            // Of the older header it keeps the space behind the tag.
            msg: (isLegacy ? " " : "") + message)
    }
}
