import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

extension ProgramTests {
    /// The configuration of nginx is the one that the page shows.
    @Suite("Two instances behind a balancer that tries the other one") struct BalancerTests {
        private static let decisions = """
            decisions:
              - {name: guests, when: {group: Guest}, admit: {}}
              - {name: asked, when: {group: Asked}, ask: {target: access}}
            default: deny

            """

        /// A system that answers nobody before it is told to.
        private final class Access: Sendable {
            let waiting = Counter()
            private let isOpen = Atomic(false)

            func open() { isOpen.store(true, ordering: .sequentiallyConsistent) }

            var server: ScriptedServer {
                ScriptedServer { [self] connection in
                    while connection.readRequest() != nil {
                        _ = waiting.take()
                        guard isOpen.load(ordering: .sequentiallyConsistent) else { return connection.waitForClose() }
                        let body = Array(#"{"decision":"admit"}"#.utf8)
                        guard connection.respond(HTTPResponse(status: 200, body: body)) else { return }
                    }
                }
            }
        }

        private func instance(_ access: ScriptedServer, on port: Int) throws -> Installation {
            let installation = try Installation(
                decisions: Self.decisions, sydney: "deadline: 2s", lobby: "mode: decision, deadline: 2s",
                targets: ["  access: {type: webhook, url: \"\(access.url("/ask"))\", allow: 127.0.0.1/32}"])
            let text = installation.read("gatehouse.yaml")
            let listen = "listen: \"127.0.0.1:0\""
            try #require(text.contains(listen))
            try installation.write(
                "gatehouse.yaml", text.replacing(listen, with: "listen: \"127.0.0.1:\(port)\"", maxReplacements: 1))
            return installation
        }

        @Test("answer every hook while one of them is killed with visitors waiting at it")
        func killed() async throws {
            let access = Access()
            let server = access.server
            let ports = [try freePort(), try freePort()]
            let instances = try ports.map { try instance(server, on: $0) }
            var services: [Service] = []
            for instance in instances { services.append(try await instance.start()) }
            let nginx = try Nginx(instances: ports)
            #expect(await nginx.isUp())
            let doors = Doors(port: nginx.port)
            let wave = 40
            for round in 0..<3 {
                let before = access.waiting.count
                let number = round * 10_000
                let waiting = Task {
                    await doors.visits(wave, atOnce: wave) { doors, visit in
                        let visitor = DoorVisitor("Ann\(number + visit)", group: "Asked")
                        return doors.visit(visit % 2 == 0 ? .sine : .envoy, visitor, number: number + visit)
                    }
                }
                let passing = Task {
                    await doors.visits(200, atOnce: 8) { doors, visit in
                        let group = visit % 4 < 2 ? "Guest" : "Nobody"
                        return doors.visit(
                            visit % 2 == 0 ? .sine : .envoy, DoorVisitor("Pat\(number + visit)", group: group),
                            number: number + 1000 + visit)
                    }
                }
                #expect(await poll(deadline: patience) { access.waiting.count > before })
                let victim = round % 2
                await services[victim].kill()
                let held = await waiting.value
                #expect(doorProblems(held, expected: wave) { _ in false } == [], "round \(round)")
                let passed = await passing.value
                #expect(doorProblems(passed, expected: 200) { $0 % 4 < 2 } == [], "round \(round)")
                #expect(passed.contains { $0.outcome == .admitted() })
                services[victim] = try await instances[victim].start()
            }
            access.open()
            let last = doors.visit(.sine, DoorVisitor("Sam", group: "Asked"), number: 900_000)
            #expect(last.outcome == .admitted())
            for service in services { #expect(await service.stop() == .exited(0)) }
            nginx.stop()
        }

        @Test("are better than one: who waits at one that is killed is turned away by Sine, and may be let in by Envoy")
        func alone() async throws {
            let access = Access()
            let server = access.server
            let installation = try instance(server, on: try freePort())
            let service = try await installation.start()
            let doors = Doors(port: service.intakePort)
            let waiting = Task {
                await doors.visits(2) { doors, number in
                    doors.visit(number == 0 ? .sine : .envoy, DoorVisitor("Ann", group: "Asked"), number: number)
                }
            }
            #expect(await poll(deadline: patience) { access.waiting.count == 2 })
            await service.kill()
            let visits = await waiting.value
            #expect(visits.allSatisfy { !$0.isAnswered && !$0.isLate })
            #expect(visits.map(\.outcome.mayBeIn) == [false, true], "\(visits)")
        }
    }
}

/// nginx with the configuration that docs/decisions.md shows, in front of instances on this machine.
private final class Nginx: Sendable {
    let port: Int
    private let folder: TemporaryDirectory
    private let process: ChildProcess

    init(instances: [Int]) throws {
        let folder = TemporaryDirectory()
        self.folder = folder
        port = try freePort()
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/decisions.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        guard let block = text.firstMatch(of: /(?s)```nginx\n(.*?)```/).map({ String($0.1) }) else {
            throw Failure("the page shows no configuration of nginx")
        }
        var configuration = block
        for (place, instance) in instances.enumerated() {
            let shown = "10.0.0.\(place + 1):8080"
            guard configuration.contains(shown) else { throw Failure("the page names no \(shown)") }
            configuration = configuration.replacing(shown, with: "127.0.0.1:\(instance)")
        }
        // Certificates are not what is tested here.
        configuration = configuration.replacing("listen 443 ssl;", with: "listen 127.0.0.1:\(port);")
            .replacing(/ssl_certificate.*\n/, with: "\n")
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map {
            "\($0)_temp_path \(folder.file($0));"
        }
        let file = try folder.write(
            "nginx.conf",
            """
            daemon off;
            master_process off;
            pid \(folder.file("pid"));
            error_log \(folder.file("errors"));
            events { worker_connections 1024; }
            http {
            access_log off;
            \(temporary.joined(separator: "\n"))
            \(configuration)
            }

            """)
        process = try ChildProcess(
            "nginx", ["-p", folder.path, "-e", folder.file("errors"), "-c", file], environment: Program.environment,
            in: folder.path, files: folder.file("nginx"))
    }

    func isUp() async -> Bool {
        await poll(deadline: patience) { (try? RawConnection(port: port)) != nil || process.current != nil }
            && process.current == nil
    }

    func stop() { process.signal(SIGTERM) }
}
