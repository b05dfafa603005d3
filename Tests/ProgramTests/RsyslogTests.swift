import Foundation
import Glibc
import TestSupport
import Testing

extension ProgramTests {
    @Suite("rsyslogd") struct RsyslogTests {
        /// What rsyslogd reads out of a message.
        private struct Record: Decodable {
            var hostname, app, msgid, severity, facility, time, msg: String
        }

        @Test("receives what a route sends it, over TCP, and reads every field back")
        func receives() async throws {
            let folder = TemporaryDirectory()
            let (daemon, port) = try await Self.start(in: folder)
            let installation = try Installation(
                targets: """
                      siem: {type: syslog, address: "tcp://127.0.0.1:\(port)", allow: 127.0.0.1/32, format: json,
                             facility: local2, hostname: gate.example}
                    """, routes: "  - {name: visitors, when: {event: visitor.*}, to: siem}")
            let service = try await installation.start()
            let events = [
                Sender.signinapp.event("one"), Sender.sine.event("two", leaving: true),
                Sender.netgraph.event("filtered"),
                Sender.envoy.event("three"),
            ]
            for event in events { #expect(try await service.post(event).status == 200) }
            let due = events.flatMap(\.events).filter { $0.type.hasPrefix("visitor.") }
            #expect(await poll(deadline: patience) { Self.lines(folder).count >= due.count })
            let records = try Self.lines(folder).map { try JSONDecoder().decode(Record.self, from: Data($0.utf8)) }
            try #require(records.count == due.count)
            for (record, event) in zip(records, due) {
                #expect(record.hostname == "gate.example" && record.app == "gatehouse")
                #expect(record.msgid == event.type && record.facility == "18" && record.severity == "6")
                let message = try JSON.object(record.msg)
                #expect(message["id"] as? String == event.id)
                #expect(message["time"] as? String == record.time)
                #expect(JSON.value(message, "data", "site", "id") as? String == event.site)
                #expect(JSON.value(message, "data", "original") == nil)
            }
            #expect(await service.stop() == .exited(0))
            daemon.signal(SIGTERM)
            _ = await daemon.wait(within: .seconds(10))
        }

        private static func lines(_ folder: TemporaryDirectory) -> [Substring] {
            let text = (try? String(contentsOfFile: folder.file("records"), encoding: .utf8)) ?? ""
            return text.last == "\n" ? text.split(separator: "\n") : text.split(separator: "\n").dropLast()
        }

        private static func start(in folder: TemporaryDirectory) async throws -> (ChildProcess, port: Int) {
            let configuration = try folder.write(
                "rsyslog.conf",
                """
                global(workDirectory="\(folder.path)")
                module(load="imtcp")
                template(name="record" type="list" option.jsonf="on") {
                  property(outname="hostname" name="hostname" format="jsonf")
                  property(outname="app" name="app-name" format="jsonf")
                  property(outname="msgid" name="msgid" format="jsonf")
                  property(outname="severity" name="syslogseverity" format="jsonf")
                  property(outname="facility" name="syslogfacility" format="jsonf")
                  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
                  property(outname="msg" name="msg" format="jsonf")
                }
                input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="\(folder.file("port"))")
                action(type="omfile" file="\(folder.file("records"))" template="record")

                """)
            let daemon = try ChildProcess(
                "/usr/sbin/rsyslogd", ["-n", "-f", configuration, "-i", folder.file("pid")],
                environment: Program.environment, in: folder.path, files: folder.file("rsyslogd"))
            func port() -> Int {
                let text = try? String(contentsOfFile: folder.file("port"), encoding: .utf8)
                return text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? 0
            }
            guard await poll(deadline: patience, until: { port() > 0 }) else {
                throw Failure("rsyslogd does not start (apt-get install rsyslog): \(daemon.errors)")
            }
            return (daemon, port())
        }
    }
}
