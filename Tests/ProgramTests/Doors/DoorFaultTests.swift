import Foundation
import HTTPTypes
import TestSupport
import Testing

extension ProgramTests {
    /// Every answer is there before the sender's patience is over, and nobody is let in whom the decisions do not let in.
    @Suite("Doors while things fail") struct DoorFaultTests {
        /// Visits of each kind of fault: 10 000 in all.
        private enum Visits {
            static let asked = 4400, lists = 2400, log = 2800, rules = 400
        }

        /// Soon, so that there is much time between it and the end of the sender's patience.
        private static let soon = (sydney: "deadline: 1s", lobby: "mode: decision, deadline: 1s")

        private static func sender(_ number: Int) -> DoorSender { number % 2 == 0 ? .sine : .envoy }

        /// What senders are told where the time was over.
        private static func isFallback(_ visit: DoorVisit) -> Bool {
            let plainly = Dialect.refusedPlainly.answers.values
            // What nobody had looked into might be a notification of Sine's.
            return plainly.contains(visit.description) || visit.outcome == .aborted("answered 503")
        }

        // MARK: The system that is asked

        @Test("of the systems that are asked: hanging, lying, broken, slow, untrusted or not to be found")
        func asked() async throws {
            let authority = try LocalAuthority()
            let certificates = try AskedConduct.Certificates(authority)
            let conducts = AskedConduct.allCases
            let elsewhere = ScriptedServer(answering: { _ in
                HTTPResponse(status: 200, body: Array(#"{"decision":"admit"}"#.utf8))
            })
            let (url, questions) = (elsewhere.url("/ask"), Counter())
            let servers = conducts.map { conduct in
                ScriptedServer(tlsOfEach: { conduct.certificate(certificates) }) { connection in
                    conduct.serve(connection, number: questions.take(), elsewhere: url)
                }
            }
            let targets = try zip(conducts, servers).map { conduct, server in
                conduct.target(port: conduct == .refuses ? try freePort() : server.port, authority)
            }
            let rules = conducts.map { conduct in
                "  - {name: \(conduct.name), when: {group: \(conduct.name)}, ask: {target: \(conduct.name), "
                    + "timeout: 600ms, on_failure: {deny: \"\(conduct.onFailure)\"}}}"
            }
            let faults = try Faults("lookup *.hanging.test hold")
            let installation = try Installation(
                decisions: "decisions:\n\(rules.joined(separator: "\n"))\ndefault: deny\n", sydney: Self.soon.sydney,
                lobby: Self.soon.lobby, targets: targets, wrapper: faults.wrapper)
            let service = try await installation.start()
            func conduct(_ number: Int) -> AskedConduct { conducts[number / 2 % conducts.count] }
            let visits = await Doors(port: service.intakePort).visits(Visits.asked, atOnce: 128) { doors, number in
                let visitor = DoorVisitor("Pat\(number)", group: conducts[number / 2 % conducts.count].name)
                return doors.visit(Self.sender(number), visitor, number: number)
            }
            #expect(doorProblems(visits, expected: Visits.asked) { conduct($0) == .admits } == [])
            for (number, visit) in visits.enumerated() where !Self.isFallback(visit) {
                let dialect: Dialect =
                    switch conduct(number) {
                    case .admits where visit.outcome == .admitted(): .admitted
                    case .denies where !visit.description.contains("said nothing"): .refused("No badge")
                    default: .refused(conduct(number).onFailure)
                    }
                #expect(visit.description == dialect.answers[Self.sender(number)], "\(conduct(number))")
            }
            #expect(visits.contains { $0.outcome == .admitted() })
            #expect(elsewhere.connectionCount == 0, "a redirect was followed")
            try await expectKept(visits, installation, service)
            #expect(await service.stop() == .exited(0))
            withExtendedLifetime(servers) {}
        }

        // MARK: Lists

        @Test("of a list's file: unreadable, cut off, gone, enormous, or on a disk that hangs")
        func lists() async throws {
            let faults = try Faults()
            let installation = try Installation(
                decisions: """
                    decisions:
                      - {name: banned, when: {visitor: {email: {in_list: banned}}}, deny: Banned}
                      - {name: others, admit: {}}
                    default: deny
                    lists: {banned: {file: banned.csv, column: email}}

                    """, sydney: Self.soon.sydney, lobby: Self.soon.lobby,
                files: ["banned.csv": Self.list(10)], wrapper: faults.wrapper)
            let service = try await installation.start()
            let doors = Doors(port: service.intakePort)
            let visits = Task {
                await doors.visits(Visits.lists, atOnce: 16) { doors, number in
                    // Spread over all that happens to the list.
                    usleep(20_000)
                    let email = number % 4 < 2 ? "banned-\(number % 10)@example.com" : "guest-\(number)@example.com"
                    return doors.visit(Self.sender(number), DoorVisitor("Pat\(number)", email: email), number: number)
                }
            }
            var refusals = 0
            for bad in ["email\n\"banned-0@example.com\n", "name\nPat\n", nil] {
                refusals += 1
                if let bad {
                    try installation.write("banned.csv", bad)
                } else {
                    try FileManager.default.removeItem(atPath: installation.path("banned.csv"))
                }
                #expect(await service.waitForLog("reload_refused", count: refusals))
            }
            try installation.write("banned.csv", Self.list(200_000))
            #expect(await service.waitForLog("reloaded"))
            try faults.set("read banned.csv hold")
            try installation.write("banned.csv", Self.list(20))
            #expect(try await faults.waitForStrike())
            let held = doors.visit(.envoy, DoorVisitor("Sam", email: "banned-0@example.com"), number: 1_000_000)
            #expect(held.description == Dialect.refused("Banned").answers[.envoy])
            let all = await visits.value
            try faults.clear()
            #expect(await service.waitForLog("reloaded", count: 2))
            #expect(doorProblems(all, expected: Visits.lists) { $0 % 4 >= 2 } == [])
            for (number, visit) in all.enumerated() where !Self.isFallback(visit) {
                let dialect: Dialect = number % 4 < 2 ? .refused("Banned") : .admitted
                #expect(visit.description == dialect.answers[Self.sender(number)])
            }
            #expect(all.contains { $0.outcome == .admitted() })
            #expect(await service.stop() == .exited(0))
        }

        private static func list(_ count: Int) -> String {
            "email\n" + (0..<count).map { "banned-\($0)@example.com\n" }.joined()
        }

        // MARK: The log

        @Test(
            "of the disk that decisions are kept on: hanging, full, or failing",
            arguments: [
                "sync events.db-wal hold", "write events.db-wal ENOSPC", "sync events.db* EIO", "write events.db* EIO",
            ])
        func log(_ fault: String) async throws {
            let faults = try Faults()
            let installation = try Installation(
                decisions: "decisions: [{name: guests, when: {group: Guest}, admit: {}}]\ndefault: deny\n",
                sydney: Self.soon.sydney, lobby: Self.soon.lobby, wrapper: faults.wrapper)
            let service = try await installation.start()
            let doors = Doors(port: service.intakePort)
            try faults.set(fault)
            // What only tells waits for the disk, and so stands in the way if anything does.
            let told = (0..<50).map { number in
                Task { try? await service.post(Sender.signinapp.event("told-\(number)")).status }
            }
            let count = Visits.log / 4
            let visits = await doors.visits(count) { doors, number in
                let visitor = DoorVisitor("Pat\(number)", group: number % 4 < 2 ? "Guest" : "Nobody")
                return doors.visit(Self.sender(number), visitor, number: number)
            }
            #expect(try faults.strikes() > 0)
            #expect(doorProblems(visits, expected: count) { $0 % 4 < 2 } == [])
            #expect(visits.contains { $0.outcome == .admitted() })
            try faults.clear()
            for task in told { #expect([200, 503].contains(await task.value)) }
            if fault.hasSuffix("hold") {
                try await expectKept(visits, installation, service, besides: 50)
            } else {
                let metrics = try MetricsPage(try await service.console("/metrics").text)
                #expect(metrics.value("gatehouse_decisions_unkept_total") ?? 0 > 0)
                let ready = try await service.console("/readyz")
                #expect(ready.status == 503 && ready.text.contains("could not be kept"), "\(ready.text)")
            }
            #expect(await service.stop() == .exited(0))
        }

        // MARK: The rules

        @Test(
            "of rules that take long, so that every thread that decides is at work for much longer than there is time")
        func rules() async throws {
            // Of such an expression and such a text no automaton of bearable size can be made.
            let slow = (0..<60).map { number in
                "  - {name: slow-\(number), when: {group: Slow, additional: {Note: "
                    + "{matches: \"(x|y)*x(x|y){18}z\(number)\"}}}, admit: {}}"
            }
            var random = SeededGenerator(1)
            let text = String((0..<40_000).map { _ in Bool.random(using: &random) ? "x" : "y" })
            let installation = try Installation(
                decisions: """
                    decisions:
                    \(slow.joined(separator: "\n"))
                      - {name: guests, when: {group: Guest}, admit: {}}
                    default: deny

                    """, sydney: Self.soon.sydney, lobby: Self.soon.lobby)
            let service = try await installation.start()
            let visits = await Doors(port: service.intakePort).visits(Visits.rules) { doors, number in
                let isSlow = number % 4 < 2
                let visitor = DoorVisitor(
                    "Pat\(number)", group: isSlow ? "Slow" : "Guest", note: isSlow ? text : nil)
                return doors.visit(Self.sender(number), visitor, number: number)
            }
            #expect(doorProblems(visits, expected: Visits.rules) { $0 % 4 >= 2 } == [])
            let metrics = try MetricsPage(try await service.console("/metrics").text)
            #expect(metrics.value("gatehouse_decisions_overdue_total") ?? 0 > 0, "nothing took long")
            // Who comes when it is over is decided as ever.
            let (doors, later) = (Doors(port: service.intakePort), Counter())
            let isWell = await poll(deadline: patience) {
                doors.visit(.envoy, DoorVisitor("Sam", group: "Guest"), number: 1_000_000 + later.take()).outcome
                    == .admitted()
            }
            #expect(isWell)
            #expect(await service.stop() == .exited(0))
        }

        @Test("are 10 000 visits together")
        func count() { #expect(Visits.asked + Visits.lists + Visits.log + Visits.rules == 10_000) }

        /// Every visit is kept once, and says what was answered.
        /// - Parameter besides: events of other senders.
        private func expectKept(
            _ visits: [DoorVisit], _ installation: Installation, _ service: Service, besides: Int = 0
        ) async throws {
            let isKept = await poll(deadline: patience, every: .milliseconds(200)) {
                installation.archivedCount >= visits.count + besides
            }
            #expect(isKept, "\(installation.archivedCount) of \(visits.count)")
            let decided = try installation.decided
            #expect(decided.count == visits.count)
            #expect(decided.count { $0.hasPrefix("admit ") } == visits.count { $0.outcome == .admitted() })
            #expect(installation.archivedCount - decided.count == besides)
            #expect(try await service.console("/readyz").status == 200)
        }
    }
}
