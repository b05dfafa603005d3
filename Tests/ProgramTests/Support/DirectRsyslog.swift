import Foundation
import Glibc
import TestSupport

/// An rsyslogd that writes every message to its file before it reads on, and can be killed and begun again.
final class DirectRsyslog {
    let folder = TemporaryDirectory()
    private(set) var port = 0
    private var daemon: ChildProcess?

    func start() async throws {
        let configuration = try folder.write(
            "rsyslog.conf",
            """
            global(workDirectory="\(folder.path)")
            main_queue(queue.type="Direct")
            module(load="imtcp")
            template(name="message" type="string" string="%msg%\\n")
            input(type="imtcp" address="127.0.0.1" port="\(port)" listenPortFileName="\(folder.file("port"))")
            action(type="omfile" file="\(folder.file("records"))" template="message")

            """)
        if port == 0 { try? FileManager.default.removeItem(atPath: folder.file("port")) }
        let daemon = try ChildProcess(
            "/usr/sbin/rsyslogd", ["-n", "-f", configuration, "-i", folder.file("pid")],
            environment: Program.environment, in: folder.path, files: folder.file("rsyslogd"))
        self.daemon = daemon
        guard await poll(deadline: patience, until: { listening() > 0 }) else {
            throw Failure("rsyslogd does not start (apt-get install rsyslog): \(daemon.errors)")
        }
        port = listening()
    }

    /// From now on it reads nothing: what it is sent waits in its system's buffers, and is gone when it is killed.
    func hang() { daemon?.signal(SIGSTOP) }

    func kill() async {
        daemon?.signal(SIGKILL)
        _ = await daemon?.wait(within: patience)
        try? FileManager.default.removeItem(atPath: folder.file("pid"))
    }

    private func listening() -> Int {
        let text = try? String(contentsOfFile: folder.file("port"), encoding: .utf8)
        return text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? 0
    }

    /// The ids of the messages in the file; a line that a kill cut is none.
    var ids: [String] {
        let text = FileManager.default.contents(atPath: folder.file("records")) ?? Data()
        return text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            (try? JSONSerialization.jsonObject(with: line)).flatMap { ($0 as? [String: Any])?["id"] as? String }
        }
    }

    var size: Int { FileManager.default.contents(atPath: folder.file("records"))?.count ?? 0 }
}
