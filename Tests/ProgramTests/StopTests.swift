import Foundation
import Glibc
import TestSupport
import Testing

extension ProgramTests {
    @Suite("Stopping") struct StopTests {
        @Test("under load ends with 0 in time, and nothing acknowledged is lost", arguments: [SIGTERM, SIGINT])
        func underLoad(signal: Int32) async throws {
            let installation = try Installation(
                top: "shutdown: 5s", targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            let load = Load(seed: 1, pauseMicroseconds: 500)
            load.aim(at: service.intakePort)
            load.start()
            #expect(await poll(deadline: patience) { load.account.acknowledged.count > 200 })
            service.process.signal(signal)
            #expect(await service.process.wait(within: patience) == .exited(0))
            load.aim(at: nil)
            let account = load.account
            #expect(account.problems == [])
            let kept = Set(try await installation.events().compactMap { $0["id"] as? String })
            #expect(Set(account.acknowledged.keys).subtracting(kept) == [])

            let again = try await installation.start()
            load.aim(at: again.intakePort)
            #expect(try await load.stop())
            let isDone = try await eventually { try await installation.count("pending", at: "archive") == 0 }
            #expect(isDone)
            let ids = try installation.archivedIDs
            #expect(Set(ids) == Set(try await installation.events().compactMap { $0["id"] as? String }))
            #expect(ids.count == Set(ids).count, "delivered twice although nothing was killed")
            #expect(await again.stop() == .exited(0))
        }

        @Test(
            "does not wait longer than `shutdown:` for a target that never answers; its events are sent at the next start"
        )
        func hangingTarget() async throws {
            let server = ScriptedServer { connection in connection.waitForClose() }
            let installation = try Installation(
                top: "shutdown: 1s",
                targets:
                    "  partner: {type: webhook, url: \"\(server.url())\", allow: 127.0.0.1/32, timeout: 600s, sign: "
                    + "{scheme: standard-webhooks, secrets: \"${env:PARTNER_SECRET}\"}}",
                routes: "  - {name: everything, to: partner}")
            let service = try await installation.start()
            #expect(try await service.post(Sender.envoy.event("waits")).status == 200)
            #expect(await poll(deadline: patience) { server.connectionCount > 0 })
            // The answer never comes, and the target itself would wait longer than this test does.
            #expect(await service.stop() == .exited(0))
            #expect(try await installation.count("pending", at: "partner") == 1)
            let connections = server.connectionCount
            let again = try await installation.start()
            #expect(await poll(deadline: patience) { server.connectionCount > connections })
            #expect(await again.stop() == .exited(0))
        }

        @Test("while a body is on its way: what is taken is finished, what is not whole is not answered with success")
        func halfARequest() async throws {
            let installation = try Installation(
                top: "shutdown: 2s", targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            let port = service.intakePort
            let connection = try RawConnection(port: port)
            try connection.send("POST /in/london HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{\"event\":")
            try await Task.sleep(for: .milliseconds(100))
            #expect(await service.stop() == .exited(0))
            let answer = try? connection.answer()
            #expect(answer.map { $0.status >= 400 } ?? true)
            #expect(try await installation.events().isEmpty)
        }
    }
}
