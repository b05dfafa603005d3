import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

extension ProgramTests {
    @Suite("A system that is asked about many visitors at once") struct AskedConnectionsTests {
        private static let visitors = 160
        private static let connections = 128

        @Test("is asked over 128 connections, and about the others when one of these is free")
        func bound() async throws {
            let asked = Mutex<(count: Int, last: ContinuousClock.Instant)>((0, .now))
            let access = ScriptedServer { connection in
                while connection.readRequest() != nil {
                    asked.withLock { $0 = ($0.count + 1, .now) }
                    // Nobody is answered before as many are asked about as will be.
                    while asked.withLock({ $0.count < Self.visitors && .now - $0.last < .seconds(2) }) {
                        Thread.sleep(forTimeInterval: 0.02)
                    }
                    let body = Array(#"{"decision":"admit"}"#.utf8)
                    guard connection.respond(HTTPResponse(status: 200, body: body)) else { return }
                }
            }
            let installation = try Installation(
                decisions: "decisions: [{name: asked, when: {group: Asked}, ask: {target: access}}]\ndefault: deny\n",
                targets: ["  access: {type: webhook, url: \"\(access.url("/ask"))\", allow: 127.0.0.1/32}"])
            let service = try await installation.start()
            let visits = await Doors(port: service.intakePort).visits(Self.visitors, atOnce: Self.visitors) {
                doors, number in
                doors.visit(.envoy, DoorVisitor("Pat\(number)", group: "Asked"), number: number)
            }
            #expect(doorProblems(visits, expected: Self.visitors) { _ in true } == [])
            #expect(asked.withLock { $0.count } == Self.visitors)
            #expect(access.connectionCount <= Self.connections)
            #expect(await service.stop() == .exited(0))
        }
    }
}
