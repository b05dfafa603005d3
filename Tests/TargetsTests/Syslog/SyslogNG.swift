import Foundation
import Glibc
import TestSupport

/// A real syslog-ng, receiving on loopback ports and writing what it understood as JSON lines. Debian lets only one syslog
/// daemon be installed; `deploy/install-dependencies test` unpacks this one below `.build`.
final class SyslogNG {
    struct Missing: Error, CustomStringConvertible {
        var description: String
    }

    /// How it listens.
    enum Source: String, CaseIterable, Sendable {
        /// RFC 5424, its messages counted.
        case counted
        /// RFC 5424, a line each.
        case lines
        /// RFC 3164.
        case legacy
        /// RFC 5424 over TLS, from clients with a certificate of its authority only.
        case tls
    }

    /// What syslog-ng read out of one message.
    struct Record: Decodable, Hashable {
        var source, host, app, pid, msgid, pri, time, sd, msg: String
    }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent(".build/syslog-ng").path

    /// In CI it is always to be there.
    static var isAvailable: Bool {
        ProcessInfo.processInfo.environment["CI"] != nil
            || FileManager.default.isExecutableFile(atPath: folder + "/usr/sbin/syslog-ng")
    }

    let authority: LocalAuthority
    private let own = TemporaryDirectory()
    private let process = Process()
    private var ports: [Source: Int] = [:]

    init() async throws {
        authority = try LocalAuthority()
        let program = Self.folder + "/usr/sbin/syslog-ng"
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw Missing(description: "this test needs syslog-ng: deploy/install-dependencies test")
        }
        let identity = try authority.issue()
        for source in Source.allCases { ports[source] = Self.freePort() }
        let configuration = try own.write("syslog-ng.conf", Self.configuration(ports, own, identity, authority))
        let libraries = try FileManager.default.contentsOfDirectory(atPath: Self.folder + "/usr/lib").map {
            "\(Self.folder)/usr/lib/\($0)"
        }
        let nested = (try? FileManager.default.contentsOfDirectory(atPath: Self.folder + "/lib")) ?? []
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [
            "-F", "-f", configuration, "--module-path=\(try Self.modules())", "-R", own.file("persist"), "-c",
            own.file("control"), "-p", own.file("pid"), "--no-caps",
        ]
        process.environment = [
            "LD_LIBRARY_PATH": (libraries + nested.map { "\(Self.folder)/lib/\($0)" }).joined(separator: ":")
        ]
        process.standardError = FileHandle(forWritingAtPath: try own.write("errors", ""))
        try process.run()
        let isUp = await poll(deadline: .seconds(30)) {
            ports.values.allSatisfy(Self.listens) || !process.isRunning
        }
        guard isUp, process.isRunning else {
            throw Missing(
                description:
                    "syslog-ng does not start: \(try String(contentsOfFile: own.file("errors"), encoding: .utf8))")
        }
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func port(_ source: Source) -> Int { ports[source] ?? 0 }

    /// What was received so far, each line whole.
    var records: [Record] {
        get throws {
            guard let bytes = FileManager.default.contents(atPath: own.file("records")) else { return [] }
            return try bytes.split(separator: 0x0A).dropLast(bytes.last == 0x0A ? 0 : 1).map {
                try JSONDecoder().decode(Record.self, from: $0)
            }
        }
    }

    private static func configuration(
        _ ports: [Source: Int], _ own: TemporaryDirectory, _ identity: LocalAuthority.Identity,
        _ authority: LocalAuthority
    ) -> String {
        func at(_ source: Source) -> String { "ip(127.0.0.1) port(\(ports[source] ?? 0))" }
        let drivers: [Source: String] = [
            .counted: "syslog(\(at(.counted)) transport(\"tcp\"))",
            .lines: "network(\(at(.lines)) transport(\"tcp\") flags(syslog-protocol))",
            .legacy: "network(\(at(.legacy)) transport(\"tcp\") time-zone(\"UTC\"))",
            .tls: """
            syslog(\(at(.tls)) transport("tls") tls(key-file("\(identity.keyFile)") cert-file("\(identity.certFile)") \
            ca-file("\(authority.caFile)") peer-verify(required-trusted)))
            """,
        ]
        var text = "@version: 3.38\noptions { keep-hostname(yes); flush-lines(1); };\n"
        for source in Source.allCases {
            let template =
                ["source=\(source.rawValue)"]
                + [
                    ("host", "$HOST"), ("app", "$PROGRAM"), ("pid", "$PID"), ("msgid", "$MSGID"), ("pri", "$PRI"),
                    ("time", "$S_ISODATE"), ("sd", "$SDATA"), ("msg", "$MSG"),
                ].map { "\($0)=\\\"\($1)\\\"" }
            text += """
                log {
                  source { \(drivers[source] ?? ""); };
                  destination {
                    file("\(own.file("records"))" persist-name("\(source.rawValue)") template("$(format-json \(template.joined(separator: " ")))\\n"));
                  };
                };

                """
        }
        return text
    }

    static func modules() throws -> String {
        let base = folder + "/usr/lib/syslog-ng"
        let version = try FileManager.default.contentsOfDirectory(atPath: base).first { $0.first?.isNumber == true }
        return "\(base)/\(version ?? "")"
    }

    private static func freePort() -> Int {
        let server = ScriptedServer(script: { _ in })
        defer { server.stop() }
        return server.port
    }

    private static func listens(_ port: Int) -> Bool {
        let line = String(format: ":%04X 00000000:0000 0A", port)
        let table = try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)
        return table?.contains(line) ?? false
    }
}
