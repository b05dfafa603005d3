import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite("Starting") struct StartTests {
        @Test("is ready once everything is open: then requests are taken, commands answered and health shown")
        func ready() async throws {
            let (intake, console) = (try freePort(), try freePort())
            let installation = try Installation(
                Installation.configuration(
                    listen: "127.0.0.1:\(intake)", console: "127.0.0.1:\(console)", targets: Installation.archive),
                files: ["routes.yaml": "routes:\n" + Installation.everythingToArchive])
            let service = try installation.launch()
            let isReady = try await eventually {
                (try? await blocking { try RawConnection(port: console).get("/readyz") })?.status == 200
            }
            #expect(isReady, "\(service.process.errors)")
            let event = Sender.signinapp.event("first")
            let answer = try await blocking {
                try RawConnection(port: intake).post(event.path, Array(event.body.utf8), headers: event.headers)
            }
            #expect(answer.status == 200)
            #expect(try await installation.events().count == 1)
            let health = try await blocking { try RawConnection(port: console).get("/healthz") }
            #expect(health.status == 200)
            let readiness = try await blocking { try RawConnection(port: console).get("/readyz") }
            #expect(try JSON.object(readiness.text)["ready"] as? Bool == true)
            #expect(await service.waitForLog("ready"))
            #expect(service.ports?.intake == intake && service.ports?.console == console)
            let attributes = try FileManager.default.attributesOfItem(atPath: installation.path("data"))
            #expect(attributes[.posixPermissions] as? Int == 0o700)
            for name in try FileManager.default.contentsOfDirectory(atPath: installation.path("data")) {
                let file = try FileManager.default.attributesOfItem(atPath: installation.path("data/\(name)"))
                #expect(file[.posixPermissions] as? Int == 0o600, "\(name)")
            }
            #expect(await service.stop() == .exited(0))
        }

        @Test("is refused while another instance has the data folder, and does not disturb it")
        func secondInstance() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            let second = try await installation.gatehouse("run")
            #expect(second.status == 1)
            #expect(second.errors.contains("process \(service.process.pid) is using this folder"), "\(second)")
            #expect(second.errors.contains("./data/"), "\(second)")
            #expect(try await service.post(Sender.sine.event("still-there")).status == 200)
            #expect(await service.stop() == .exited(0))
        }

        @Test("is refused when a port is taken, naming the address", arguments: ["listen", "console"])
        func portInUse(key: String) async throws {
            let other = ScriptedServer { _ in }
            let address = "127.0.0.1:\(other.port)"
            let installation = try Installation(
                Installation.configuration(
                    listen: key == "listen" ? address : "127.0.0.1:0",
                    console: key == "console" ? address : "127.0.0.1:0", targets: Installation.archive),
                files: ["routes.yaml": "routes:\n" + Installation.everythingToArchive])
            let outcome = try await installation.gatehouse("run")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains(address), "\(outcome)")
            #expect(outcome.errors.lowercased().contains("in use"), "\(outcome)")
            #expect(!outcome.errors.contains("\"ready\""))
        }

        @Test("is refused when the data folder cannot be made")
        func noDataFolder() async throws {
            let installation = try Installation(
                top: "data: ./gatehouse.yaml/data", targets: Installation.archive,
                routes: Installation.everythingToArchive)
            let outcome = try await installation.gatehouse("run")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("gatehouse.yaml/data"), "\(outcome)")
        }

        @Test("is refused when a target's file cannot be written")
        func noTargetFile() async throws {
            let installation = try Installation(
                targets: "  archive: {type: file, path: ./nowhere/archive.ndjson}",
                routes: Installation.everythingToArchive)
            let outcome = try await installation.gatehouse("run")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("target archive"), "\(outcome)")
            #expect(outcome.errors.contains("nowhere"), "\(outcome)")
        }

        @Test("is refused when a certificate is not there")
        func noCertificate() async throws {
            let installation = try Installation(
                """
                listen: {address: "127.0.0.1:0", tls: {cert: ./nowhere.pem, key: ./nowhere.key}}
                console: "127.0.0.1:0"
                sources: {london: {vendor: signinapp, secrets: ["${env:LONDON_SECRET}"]}}
                """)
            let outcome = try await installation.gatehouse("run")
            #expect(outcome.status == 1 || outcome.status == 78)
            #expect(outcome.errors.contains("./nowhere."), "\(outcome)")
        }

        @Test("with an unset reference is an error of the configuration; checking only warns of it")
        func unsetReference() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            var environment = Secrets.environment
            environment["FACES_SECRET"] = nil
            let started = try await installation.gatehouse("run", environment: environment)
            #expect(started.status == 78)
            #expect(started.errors.contains("./gatehouse.yaml:8:38: "), "\(started)")
            #expect(started.errors.contains("FACES_SECRET"), "\(started)")
            let checked = try await installation.gatehouse("check", environment: environment)
            #expect(checked.status == 0)
            #expect(checked.output.contains("./gatehouse.yaml:8:38: warning: "), "\(checked)")
            let strict = try await installation.gatehouse("check", "--strict", environment: environment)
            #expect(strict.status == 1)
        }

        @Test("with an error in the configuration or the routes ends with 78 and says where")
        func broken() async throws {
            let installation = try Installation(
                targets: Installation.archive, routes: "  - {name: everything, to: archiv}")
            let outcome = try await installation.gatehouse("run")
            #expect(outcome.status == 78)
            #expect(outcome.errors.contains("routes.yaml:2:"), "\(outcome)")
            #expect(outcome.errors.contains("did you mean archive?"), "\(outcome)")
            try installation.write("gatehouse.yaml", "lisen: 1\n")
            #expect(try await installation.gatehouse("run").status == 78)
            #expect(try await installation.gatehouse("run", "-c", "nowhere.yaml").status == 78)
        }

        @Test("writes log lines for people where asked to, and one JSON object a line otherwise")
        func logFormats() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            #expect(await service.stop() == .exited(0))
            for line in service.process.errors.split(separator: "\n") {
                let object = try JSON.object(String(line))
                #expect(Set(object.keys).isSuperset(of: ["time", "level", "event", "message"]))
            }
            #expect(service.log.allSatisfy { $0.level == "info" }, "\(service.log)")
            let spoken = try installation.launch("--log-format", "text")
            #expect(
                await poll(deadline: patience) { spoken.process.errors.contains("INFO Ready: senders post to") })
            #expect(await spoken.stop() == .exited(0))
            #expect(spoken.process.output.isEmpty)
        }
    }
}
