import Foundation
import Synchronization
import TestSupport
import Testing

extension ProgramTests {
    @Suite("Doors while much else comes in") struct OverloadTests {
        private static let decisions = "decisions: [{name: guests, when: {group: Guest}, admit: {}}]\ndefault: deny\n"

        /// Doors are visited until something else is over; every visit is decided as it should be.
        /// - Parameter lobby: Envoy's deadline is so far away that what is decided is what the rules say.
        private func visit(_ doors: Doors, from first: Int, while isGoingOn: @escaping @Sendable () -> Bool) async
            -> Int
        {
            let rounds = 24
            var count = 0
            repeat {
                let start = first + count
                let visits = await doors.visits(rounds, atOnce: 6) { doors, number in
                    let visitor = DoorVisitor("Pat\(start + number)", group: number % 4 < 2 ? "Guest" : "Nobody")
                    return doors.visit(number % 2 == 0 ? .sine : .envoy, visitor, number: start + number)
                }
                #expect(doorProblems(visits, expected: rounds) { $0 % 4 < 2 } == [])
                for (number, visit) in visits.enumerated() where number % 2 == 1 {
                    let dialect: Dialect = number % 4 < 2 ? .admitted : .refusedPlainly
                    #expect(visit.description == dialect.answers[.envoy])
                }
                count += rounds
            } while isGoingOn()
            return count
        }

        @Test("do not wait for a flood of notifications, nor for batches of 20 000 events, nor for targets far behind")
        func flood() async throws {
            let lobby = try freePort()
            let installation = try Installation(
                decisions: Self.decisions, lobby: "mode: decision, listen: \"127.0.0.1:\(lobby)\"",
                targets: [
                    "  behind: {type: webhook, url: \"http://127.0.0.1:\(try freePort())/\", allow: 127.0.0.1/32}"
                ])
            try installation.write(
                "routes.yaml", "routes:\n  - {name: everything, to: [archive, behind]}\n")
            let service = try await installation.start()
            let (isOver, told) = (Flag(), Counter())
            for thread in 0..<8 {
                let port = service.intakePort
                Thread.detachNewThread {
                    guard let connection = try? RawConnection(port: port) else { return }
                    while !isOver.isSet {
                        let event = Sender.signinapp.event("flood-\(thread)-\(told.take())")
                        guard
                            let answer = try? connection.post(
                                event.path, Array(event.body.utf8), headers: event.headers), answer.status == 200
                        else { return }
                    }
                }
            }
            let batches = Task {
                for number in 0..<2 {
                    let batch = Sender.netgraph.event("batch-\(number)", elements: 20_000)
                    let answer = try await service.post(batch)
                    #expect(answer.status == 200)
                }
                isOver.set()
            }
            let count = await visit(Doors(port: service.intakePort, lobby: lobby), from: 0) { !isOver.isSet }
            try await batches.value
            #expect(told.count > 0)
            let metrics = try MetricsPage(try await service.console("/metrics").text)
            #expect(metrics.value("gatehouse_decisions_unkept_total") == 0)
            #expect(metrics.value("gatehouse_decisions_total", ["reason": "rule"]) ?? 0 > 0)
            let decided = metrics.value("gatehouse_decisions_total")
            #expect(decided == Double(count))
            #expect(await service.stop() == .exited(0))
        }

        @Test("do not wait where every connection is taken by requests that wait for the disk, and as many more come")
        func full() async throws {
            let faults = try Faults()
            let connections = 32
            let installation = try Installation(
                decisions: Self.decisions, wrapper: faults.wrapper)
            let text = installation.read("gatehouse.yaml")
            let listen = "listen: \"127.0.0.1:0\""
            try #require(text.contains(listen))
            try installation.write(
                "gatehouse.yaml",
                text.replacing(
                    listen, with: "listen: {address: \"127.0.0.1:0\", connections: \(connections)}",
                    maxReplacements: 1))
            let service = try await installation.start()
            try faults.set("sync events.db-wal hold")
            let refused = Counter()
            let (isOver, told) = (Flag(), Counter())
            // Those that are refused come again at once.
            let senders = (0..<connections * 3).map { _ in
                Task {
                    while !isOver.isSet {
                        let event = Sender.signinapp.event("held-\(told.take())")
                        let status = try? await service.post(event).status
                        if status == 200 { return }
                        _ = refused.take()
                    }
                }
            }
            #expect(try await faults.waitForStrike())
            #expect(await poll(deadline: patience) { refused.count > connections })
            let rounds = Counter()
            _ = await visit(Doors(port: service.intakePort), from: 0) { rounds.take() < 10 }
            isOver.set()
            try faults.clear()
            for sender in senders { _ = await sender.value }
            #expect(await service.stop() == .exited(0))
        }
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .sequentiallyConsistent) }
    func set() { value.store(true, ordering: .sequentiallyConsistent) }
}
