import Events
import Foundation
import HTTPTypes
import JSON
import Signatures
import TestSupport
import Testing

/// A running instance with two targets: the receiver of the page, and one that nobody listens at.
extension RunningTests {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    @Test("the receiver of the page verifies our webhooks; metrics, health and files are as the page says")
    func instance() async throws {
        let shell = try Shell()
        let targets = try Page("docs/targets.md")
        let receiver = try #require(targets.blocks.first { $0.value("file") == "receiver.py" })
        try shell.write("receiver.py", receiver.text)
        try shell.run("export PARTNER_SECRET=\(Self.secret) LONDON_SECRET=test")
        try shell.begin("python3 receiver.py 0", as: "receiver")
        let isListening = await poll(deadline: .seconds(60)) { shell.output(of: "receiver").contains("listening on ") }
        try #require(isListening, "\(shell.output(of: "receiver"))")
        let port = try #require(shell.output(of: "receiver").firstMatch(of: /listening on (\d+)/)).1

        try shell.write(
            "gatehouse.yaml",
            """
            listen: 127.0.0.1:0
            console: 127.0.0.1:0
            data: ./data
            sources:
              london: {vendor: signinapp, secrets: ["${env:LONDON_SECRET}"], expect_every: 1h}
              sydney: {vendor: sine, api_key: key}
            targets:
              partner:
                type: webhook
                url: http://127.0.0.1:\(port)/hook
                allow: 127.0.0.1/32
                sign: {scheme: standard-webhooks, secrets: ["${env:PARTNER_SECRET}"]}
              nobody: {type: http, url: "http://127.0.0.1:1/", allow: 127.0.0.1/32}
            teams:
              guards: {files: ./guards.yaml, scope: {}, targets: partner}
            routes: ./routes.yaml

            """)
        try shell.write("routes.yaml", "routes:\n  - {name: all, to: [partner, nobody]}\n")
        try shell.write("guards.yaml", "routes: []\n")
        try shell.begin("gatehouse run --log-format text", as: "service")
        let ports = try await Self.ports(shell, "service")
        let (intake, console) = (ports[0].real, ports[1].real)
        #expect(try shell.run("gatehouse send --source london --event visitor.signin http://\(intake)").status == 0)
        #expect(try shell.run("curl -s http://\(intake)/in/nobody -d x").output.contains("source_unknown"))

        let isVerified = await poll(deadline: .seconds(60)) {
            shell.output(of: "receiver").contains("visitor.signin John Smith")
        }
        #expect(isVerified, "\(shell.output(of: "receiver")) \(shell.output(of: "service"))")
        let forged = """
            curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:\(port)/hook -d '{}' -H 'webhook-id: 1' \
            -H "webhook-timestamp: $(date +%s)" -H 'webhook-signature: v1,AAAA'
            """
        #expect(try shell.run(forged).output == "401")

        try await checkMetrics(shell, console)
        try checkHealth(shell, console, ports)
        try checkFiles(shell)
        #expect(await shell.stop("service") == 0)
    }

    private func checkMetrics(_ shell: Shell, _ console: String) async throws {
        var page = ""
        for _ in 0..<600 {
            page = try shell.run("curl -s http://\(console)/metrics").output
            if page.contains("attempts_failed_total{"), page.contains(#"delivered_total{target="partner"} 1"#) { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        var types: [String: String] = [:]
        for match in page.matches(of: /(?m)^# TYPE (\S+) (\S+)$/) { types[String(match.1)] = String(match.2) }
        let table = try Page("docs/operations.md").table("Metrics", "metric", "type", "labels")
        var documented: [String: String] = [:]
        for row in table.rows {
            let name = row[0].code
            documented[name] = row[1]
            let sample = try #require(
                page.split(separator: "\n").first { line in
                    [name + " ", name + "{", name + "_bucket{"].contains { line.hasPrefix($0) }
                }, "no sample of \(name)")
            let labels = sample.matches(of: /(\w+)="/).map { String($0.1) }.filter { $0 != "le" }
            #expect(labels.sorted() == row[2].codes.sorted(), "\(sample)")
        }
        #expect(documented == types)
    }

    private func checkHealth(_ shell: Shell, _ console: String, _ ports: [(written: String, real: String)]) throws {
        for row in try Page("docs/operations.md").table("Health", "path").rows {
            let answer = try shell.run("curl -s -o /dev/null -w '%{http_code}' http://\(console)\(row[0].code)").output
            #expect(answer == "200", "\(row[0])")
        }
        for name in Page.names {
            let blocks = try Page(name).blocks
            for (index, block) in blocks.enumerated() where block.has("console") {
                let script = ports.reduce(block.text) { $0.replacing($1.written, with: $1.real) }
                let answer = try JSONParser().parse(Array(try shell.run(script).output.utf8))
                let written = try JSONParser().parse(Array(blocks[index + 1].text.utf8))
                #expect(Self.compact(answer) == Self.compact(written), "\(name):\(block.line)")
            }
        }
    }

    private static func compact(_ tape: JSONTape) -> String {
        String(decoding: tape.bytes, as: UTF8.self).filter { !$0.isWhitespace }
    }

    private func checkFiles(_ shell: Shell) throws {
        let table = try Page("docs/operations.md").table("The data folder", "file")
        let names = table.rows.flatMap { row -> [String] in
            let codes = row[0].codes
            return codes.dropFirst().allSatisfy { $0.hasPrefix("-") }
                ? [codes[0]] + codes.dropFirst().map { codes[0] + $0 } : codes
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: shell.path("data"))
        #expect(Set(files).isSubset(of: names), "\(files)")
        #expect(Set(names).subtracting(files) == ["quarantine", "spool", "kafka", "installations.json"])
        let modes = try shell.run("stat -c '%A %n' data data/* data/*/*").output.split(separator: "\n")
        #expect(modes.contains { $0.hasSuffix("data/teams/guards.json") })
        for mode in modes {
            let isPrivate = ["drwx------ ", "-rw-------", "srw-------"].contains { mode.hasPrefix($0) }
            #expect(isPrivate, "\(mode)")
        }
    }

    @Test("the shell lines of the page make the signature we send")
    func shellVerification() throws {
        let block = try #require(try Page("docs/targets.md").blocks.first { $0.has("verify") })
        let body = "{\"name\":\"Zoë\\n\"}\n"
        let scheme = try #require(SignatureSchemes.named("standard-webhooks"))
        let signer = try SignatureSigner(scheme: scheme, secrets: [NamedSecret(name: "1", value: Self.secret)])
        let headers = signer.headers(body: Array(body.utf8), id: "msg_1", timestampSeconds: 1_614_265_330)
        let signature = try #require(headers.first { $0.name == "webhook-signature" }).value
        let shell = try Shell()
        try shell.write("body.json", body)
        try shell.run("export PARTNER_SECRET=\(Self.secret) WEBHOOK_ID=msg_1 WEBHOOK_TIMESTAMP=1614265330")
        let (status, output) = try shell.run(block.text)
        #expect(status == 0)
        #expect("v1," + output.trimmingCharacters(in: .whitespacesAndNewlines) == signature)
    }
}
