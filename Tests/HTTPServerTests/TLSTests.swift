import Foundation
import HTTPServer
import HTTPTypes
import Synchronization
import Testing

@Suite("TLS")
struct TLSTests {
    @Test("is served to a client that verifies the certificate, over one connection for several requests")
    func serves() throws {
        let folder = try CertificateFolder()
        let server = try startServer(ScriptedHandler.echo(), tls: folder.make("one"))
        defer { server.stop() }
        let url = "https://127.0.0.1:\(server.port)"
        let answer = try run(
            "curl", "-sS", "--cacert", folder.path("one.crt"), "--data", "hello", "\(url)/a", "\(url)/b", "-w",
            "[%{num_connects}]")
        #expect(answer.status == 0)
        #expect(answer.output == "hello[1]hello[0]")
    }

    @Test(
        "offers TLS 1.2 and 1.3 and nothing older",
        arguments: [("-tls1_3", true), ("-tls1_2", true), ("-tls1_1", false)])
    func versions(option: String, isTaken: Bool) throws {
        let folder = try CertificateFolder()
        let server = try startServer(ScriptedHandler.echo(), tls: folder.make("one"))
        defer { server.stop() }
        let answer = try run(
            "openssl", "s_client", "-connect", "127.0.0.1:\(server.port)", option, "-cipher", "ALL:@SECLEVEL=0",
            input: "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(answer.output.contains("HTTP/1.1 200 OK") == isTaken)
        #expect((answer.output.contains("Cipher is (NONE)")) == !isTaken)
    }

    @Test("uses a new certificate for new connections and keeps the old for those that run")
    func reload() throws {
        let folder = try CertificateFolder()
        let files = try folder.make("one")
        let server = try startServer(ScriptedHandler.echo(), tls: files)
        defer { server.stop() }
        #expect(try subject(server) == "one")
        let running = try TLSSession(port: server.port)
        #expect(try running.request("GET /a HTTP/1.1\r\nHost: a\r\n\r\n").contains("X-Path: /a"))
        try folder.make("two", as: "one")
        #expect(try subject(server) == "one")
        try server.reloadCertificate()
        #expect(try subject(server) == "two")
        #expect(try running.request("GET /b HTTP/1.1\r\nHost: a\r\n\r\n").contains("X-Path: /b"))
    }

    @Test("keeps the certificate when the new one cannot be used, and says why")
    func brokenReload() throws {
        let folder = try CertificateFolder()
        let server = try startServer(ScriptedHandler.echo(), tls: folder.make("one"))
        defer { server.stop() }
        let key = try Data(contentsOf: folder.url("one.key"))
        try folder.make("two")
        try FileManager.default.removeItem(at: folder.url("one.key"))
        try FileManager.default.copyItem(at: folder.url("two.key"), to: folder.url("one.key"))
        expectReloadError(server, "is not the key of the first certificate")
        try Data("nonsense".utf8).write(to: folder.url("one.key"))
        expectReloadError(server, "one.key holds no private key in PEM")
        try FileManager.default.removeItem(at: folder.url("one.key"))
        expectReloadError(server, "one.key cannot be read: No such file or directory")
        try key.write(to: folder.url("one.key"))
        try Data("nonsense".utf8).write(to: folder.url("one.crt"))
        expectReloadError(server, "one.crt holds no chain")
        #expect(try subject(server) == "one")
    }

    @Test("survives reloading while handshakes are under way")
    func reloadUnderLoad() throws {
        let folder = try CertificateFolder()
        let server = try startServer(ScriptedHandler.echo(), tls: folder.make("one"))
        defer { server.stop() }
        let url = "https://127.0.0.1:\(server.port)/"
        let cacert = folder.path("one.crt")
        let isDone = Atomic(false)
        let good = Atomic(0)
        let clients = (0..<3).map { _ in
            TestThread {
                for _ in 0..<15 {
                    let answer = try? run("curl", "-sS", "--cacert", cacert, "--data", "hello", url)
                    if answer?.output == "hello" { good.add(1, ordering: .relaxed) }
                }
            }
        }
        let reloading = TestThread {
            while !isDone.load(ordering: .relaxed) { try? server.reloadCertificate() }
        }
        for client in clients { client.join() }
        isDone.store(true, ordering: .relaxed)
        reloading.join()
        #expect(good.load(ordering: .relaxed) == 45)
    }

    @Test("carries refusals too, in the middle of a body as well")
    func refusals() throws {
        let folder = try CertificateFolder()
        let server = try startServer(
            ScriptedHandler { head in
                head.path == "/no"
                    ? .refuse(.text("no", status: 404))
                    : .buffered(head, maximum: 1000) { $1.respond(.text("\($0.count)")) }
            }, tls: folder.make("one"))
        defer { server.stop() }
        let large = folder.url("large")
        try Data(repeating: 65, count: 300_000).write(to: large)
        for (path, header, status) in [
            ("/no", "X-A: b", "404"), ("/", "X-A: b", "413"), ("/", "Transfer-Encoding: chunked", "413"),
        ] {
            let answer = try run(
                "curl", "-sS", "--cacert", folder.path("one.crt"), "-H", header, "-H", "Expect:", "--data-binary",
                "@\(large.path)", "-o", "/dev/null", "-w", "%{http_code}", "https://127.0.0.1:\(server.port)\(path)")
            #expect(answer.output == status)
        }
    }

    @Test("closes a client that never completes its handshake, and one that speaks plain HTTP")
    func silent() throws {
        let folder = try CertificateFolder()
        let server = try startServer(ScriptedHandler.echo(), tls: folder.make("one")) {
            $0.headerDeadline = .milliseconds(200)
        }
        defer { server.stop() }
        let silent = try RawClient(port: server.port)
        #expect(silent.receiveAll().closed)
        let plain = try RawClient(port: server.port)
        plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = plain.receiveAll()
        #expect(answer.closed && !answer.text.contains("HTTP/1.1"))
    }

    private func expectReloadError(_ server: HTTPServer, _ reason: String) {
        let error = #expect(throws: HTTPServerError.self) { try server.reloadCertificate() }
        #expect(error?.code == .certificate)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "no error")")
    }

    /// The common name of the certificate a new connection gets.
    private func subject(_ server: HTTPServer) throws -> String? {
        let answer = try run("openssl", "s_client", "-connect", "127.0.0.1:\(server.port)", input: "")
        let line = answer.output.split(separator: "\n").first { $0.hasPrefix("subject=") }
        return line.map { String($0.drop { $0 != "=" }.dropFirst().drop { $0 != "=" }.dropFirst().drop { $0 == " " }) }
    }
}

/// A folder of self-signed certificates for 127.0.0.1, removed in the end.
final class CertificateFolder: Sendable {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gatehouse-tls-\(UUID())")

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func url(_ name: String) -> URL { folder.appendingPathComponent(name) }
    func path(_ name: String) -> String { url(name).path }

    @discardableResult
    func make(_ name: String, as file: String? = nil) throws -> HTTPServerTLS {
        let files = HTTPServerTLS(certificatePath: path("\(file ?? name).crt"), keyPath: path("\(file ?? name).key"))
        let made = try run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=\(name)", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", files.keyPath, "-out",
            files.certificatePath)
        try #require(made.status == 0)
        return files
    }
}

/// Runs a program to its end; both outputs together.
func run(_ program: String, _ arguments: String..., input: String? = nil) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/\(program)")
    process.arguments = arguments
    let (output, source) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = program == "curl" ? FileHandle.standardError : output
    process.standardInput = source
    try process.run()
    if let input { try source.fileHandleForWriting.write(contentsOf: Data(input.utf8)) }
    // s_client ends at the end of its input before it has read the answer.
    if input?.isEmpty != false { try source.fileHandleForWriting.close() }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
}

/// An open TLS connection, by `openssl s_client`.
final class TLSSession {
    private let process = Process()
    private let output = Pipe()
    private let input = Pipe()

    init(port: Int) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = ["s_client", "-quiet", "-connect", "127.0.0.1:\(port)"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = input
        try process.run()
    }

    deinit { process.terminate() }

    /// What comes back up to the end of a response's head.
    func request(_ text: String) throws -> String {
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        var answer = ""
        while !answer.contains("\r\n\r\n") {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            answer += String(decoding: data, as: UTF8.self)
        }
        return answer
    }
}
