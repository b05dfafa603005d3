import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

extension ProgramTests {
    @Suite("A visitor of Sine's or Envoy's") struct DialectTests {
        private static let decisions = """
            decisions:
              - {name: guests, when: {group: Guest}, admit: {visitor_notes: "Welcome, {visitor.name}", admin_notes: "Seen before"}}
              - {name: staff, when: {group: Staff}, admit: {}}
              - {name: banned, when: {group: Banned}, deny: "Not today, {visitor.name}"}
              - {name: refused, when: {group: Refused}, deny: {}}
              - {name: watched, when: {group: Watched}, review: "Wait here"}
              - {name: asked, when: {group: {starts_with: Asked}}, ask: {target: access}}
              - {name: lost, when: {group: Lost}, ask: {target: nobody}}
              - {name: lost-admitted, when: {group: Lost admitted}, ask: {target: nobody, on_failure: admit}}
              - {name: lost-reviewed, when: {group: Lost reviewed}, ask: {target: nobody, on_failure: review}}
              - {name: lost-told, when: {group: Lost told}, ask: {target: nobody, on_failure: {deny: "Please call us."}}}

            """

        /// By the visitor's group.
        private static let outcomes: [(group: String, dialect: Dialect)] = [
            ("Guest", .admitted(visitorNotes: "Welcome, Pat Doe", adminNotes: "Seen before")),
            ("Staff", .admitted), ("Banned", .refused("Not today, Pat Doe")), ("Refused", .refusedPlainly),
            ("Watched", .refused("Wait here")), ("Asked to admit", .admitted(visitorNotes: "Gate 4", adminNotes: "ok")),
            ("Asked to deny", .refused("No badge")), ("Asked to review", .refused("Look at it")),
            ("Asked to say nothing", .refusedPlainly), ("Lost", .refusedPlainly), ("Lost admitted", .admitted),
            ("Lost reviewed", .refusedPlainly), ("Lost told", .refused("Please call us.")),
        ]

        /// What the asked system says of each group.
        private static let said = [
            "Asked to admit": #"{"decision":"admit","visitor_notes":"Gate 4","admin_notes":"ok"}"#,
            "Asked to deny": #"{"decision":"deny","message":"No badge"}"#,
            "Asked to review": #"{"decision":"review","message":"Look at it"}"#,
            "Asked to say nothing": #"{"decision":"deny"}"#,
        ]

        private let asked = Counter()
        private let access: ScriptedServer
        private let targets: [String]

        init() throws {
            let asked = asked
            access = ScriptedServer(answering: { request in
                _ = asked.take()
                let text = String(decoding: request.body, as: UTF8.self)
                let answer = Self.said.first { text.contains("\"\($0.key)\"") }
                return HTTPResponse(status: answer == nil ? 404 : 200, body: Array((answer?.value ?? "").utf8))
            })
            targets = [
                "  access: {type: webhook, url: \"\(access.url("/ask"))\", allow: 127.0.0.1/32}",
                "  nobody: {type: webhook, url: \"http://127.0.0.1:\(try freePort())/\", allow: 127.0.0.1/32}",
            ]
        }

        private func installation(
            default fallback: String = "deny", sydney: String = "", lobby: String = "mode: decision"
        ) throws -> Installation {
            try Installation(
                decisions: Self.decisions + "default: \(fallback)\n", sydney: sydney, lobby: lobby, targets: targets)
        }

        private func expect(
            _ visit: DoorVisit, _ dialect: Dialect, _ sender: DoorSender, _ what: String,
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            #expect(visit.description == dialect.answers[sender], "\(sender): \(what)", sourceLocation: sourceLocation)
            #expect(visit.outcome == dialect.outcomes[sender], "\(sender): \(what)", sourceLocation: sourceLocation)
        }

        @Test("is told what was decided, in the sender's own words; the same request again is told the same")
        func outcomes() async throws {
            let installation = try installation()
            let service = try await installation.start()
            let doors = Doors(port: service.intakePort)
            for (number, (group, dialect)) in Self.outcomes.enumerated() {
                for sender in DoorSender.allCases {
                    let visitor = DoorVisitor("Pat", group: group)
                    expect(doors.visit(sender, visitor, number: number), dialect, sender, group)
                    expect(doors.visit(sender, visitor, number: number), dialect, sender, "\(group), again")
                }
            }
            #expect(asked.count == 2 * Self.said.count, "who comes again is asked about again")
            let count = 2 * Self.outcomes.count
            #expect(await poll(deadline: patience) { installation.archivedCount >= count })
            #expect(installation.archivedCount == count, "who comes again is kept again")
            let reasons = try installation.decided
            for reason in ["admit rule guests", "deny rule refused", "review rule watched", "review asked asked"] {
                #expect(reasons.count { $0 == reason } == 2, "\(reason)")
            }
            for reason in ["deny ask_failed lost: connect_refused", "admit ask_failed lost-admitted: connect_refused"] {
                #expect(reasons.count { $0 == reason } == 2, "\(reasons)")
            }
            #expect(await service.stop() == .exited(0))
        }

        @Test("whom no decision takes gets the default", arguments: ["deny", "review", "admit"])
        func fallback(_ fallback: String) async throws {
            let installation = try installation(default: fallback)
            let service = try await installation.start()
            let doors = Doors(port: service.intakePort)
            for sender in DoorSender.allCases {
                let dialect: Dialect = fallback == "admit" ? .admitted : .refusedPlainly
                expect(doors.visit(sender, DoorVisitor("Pat"), number: 0), dialect, sender, fallback)
            }
            #expect(await service.stop() == .exited(0))
        }

        @Test("is let in where the decisions are only tried, where none are asked for, and where there are none")
        func undecided() async throws {
            let without = try Installation(decisions: nil)
            let cases = [
                ("shadow", try installation(sydney: "mode: shadow", lobby: "mode: shadow")),
                ("notify", try installation(sydney: "mode: notify", lobby: "mode: notify")), ("none", without),
            ]
            for (mode, installation) in cases {
                let service = try await installation.start()
                let doors = Doors(port: service.intakePort)
                for sender in DoorSender.allCases {
                    expect(
                        doors.visit(sender, DoorVisitor("Pat", group: "Banned"), number: 0), .admitted, sender, mode)
                }
                #expect(await poll(deadline: patience) { installation.archivedCount == 2 })
                let decided = mode == "shadow" ? ["deny shadow: rule banned", "deny shadow: rule banned"] : []
                #expect(try installation.decided == decided, "\(mode)")
                if mode == "none" { #expect(service.log.contains { $0.event == "nothing_decided" }) }
                #expect(await service.stop() == .exited(0))
            }
        }

        @Test("whose request does not prove where it comes from is told nothing, and is not let in by Sine")
        func strangers() async throws {
            let installation = try installation(default: "admit")
            let service = try await installation.start()
            var doors = Doors(port: service.intakePort)
            for secret in ["not the one that is known here", nil] {
                doors.sine.key = secret
                doors.envoy.secret = secret
                for sender in DoorSender.allCases {
                    let visit = doors.visit(sender, DoorVisitor("Pat"), number: 0)
                    let answer = try #require(visit.reply.answer)
                    #expect(answer.status == 401 && answer.headers["Content-Type"] == "application/problem+json")
                    #expect(!answer.text.contains("Pat") && !answer.text.contains("kestrel"))
                    #expect(
                        visit.outcome == (sender == .sine ? .aborted("answered 401") : .unsettled("answered 401")))
                }
            }
            #expect(try await service.console("/metrics").text.contains("gatehouse_requests_refused_total"))
            #expect(await service.stop() == .exited(0))
            #expect(installation.archivedCount == 0)
        }

        @Test("waits also under the name that the source maps; what only tells is acknowledged, and decided by nobody")
        func otherEvents() async throws {
            let installation = try installation(sydney: "events: {signin_details: visitor.signin.requested}")
            let service = try await installation.start()
            let doors = Doors(port: service.intakePort)
            let visitor = DoorVisitor("Pat", group: "Banned")
            let details = doors.sine.checkIn(visitor, event: "signin_details")
            expect(details, .refused("Not today, Pat Doe"), .sine, "with details")
            let told = doors.sine.tell("signin_after", visitor)
            expect(told, .admitted, .sine, "signin_after")
            let left = doors.envoy.tell("entry_sign_out", visitor, job: "left")
            #expect(left.map { $0.answer?.text } == ["{}"])
            #expect(await poll(deadline: patience) { installation.archivedCount == 3 })
            #expect(try installation.decided == ["deny rule banned"])
            #expect(await service.stop() == .exited(0))
        }

        @Test("whose request is not there in time is not let in by what else might be a success")
        func late() async throws {
            let installation = try Installation(
                decisions: Self.decisions + "default: deny\n", sydney: "deadline: 1s",
                lobby: "mode: decision, deadline: 1s", targets: targets)
            let service = try await installation.start()
            let doors = Doors(port: service.intakePort)
            let visitor = DoorVisitor("Pat", group: "Staff")
            let envoy = doors.visit(.envoy, visitor, number: 0, withheld: 1)
            expect(envoy, .refusedPlainly, .envoy, "late")
            // What of Sine's is not there yet may be a notification: a 200 would acknowledge it.
            let sine = doors.visit(.sine, visitor, number: 0, withheld: 1)
            #expect(sine.outcome == .aborted("answered 503"))
            #expect(
                sine.description.hasPrefix("503 application/problem+json {") && sine.description.contains("too_slow"))
            #expect(await service.stop() == .exited(0))
        }

        @Test("who comes when too much is being received at once is told so at once")
        func overload() async throws {
            let installation = try Installation(
                decisions: "decisions: [{name: all, admit: {}}]\ndefault: deny\n", targets: targets)
            let service = try await installation.start()
            let doors = Doors(port: service.intakePort)
            // Large requests that never end take what memory there is for those of sources that decide.
            let large = DoorVisitor("Pat", note: String(repeating: "x", count: 1_000_000))
            for number in 0..<9 {
                Thread.detachNewThread { _ = doors.visit(.envoy, large, number: number, withheld: 1) }
            }
            let numbers = Counter()
            var visits: [DoorSender: DoorVisit] = [:]
            let visitor = DoorVisitor("Sam", note: String(repeating: "y", count: 500_000))
            for sender in DoorSender.allCases {
                let isRefused = await poll(deadline: patience) {
                    let visit = doors.visit(sender, visitor, number: 100 + numbers.take())
                    visits[sender] = visit
                    return visit.outcome != .admitted()
                }
                #expect(isRefused, "\(sender)")
            }
            expect(try #require(visits[.envoy]), .refusedPlainly, .envoy, "overload")
            let sine = try #require(visits[.sine])
            #expect(sine.outcome == .aborted("answered 503"))
            #expect(sine.description.contains("overloaded"))
            #expect(await service.stop() == .exited(0))
        }
    }

    @Suite("The senders these tests play") struct SenderTests {
        @Test("do as their pages say when they get another answer, or none")
        func conduct() {
            let answer = Mutex(HTTPResponse(status: 500))
            let server = ScriptedServer { connection in
                while connection.readRequest() != nil {
                    let response = answer.withLock { $0 }
                    if response.status == 0 { return connection.waitForClose() }
                    if response.status == 1 { return }
                    connection.respond(response)
                }
            }
            var doors = Doors(port: server.port)
            doors.sine.patience = .milliseconds(300)
            doors.envoy.patience = .milliseconds(300)
            doors.sine.rejectionMessage = "%EXTERNAL_REJECTION_MESSAGE% Please see the front desk."
            func outcomes(_ status: Int, _ body: String = "", type: String = "application/json") -> [DoorOutcome] {
                answer.withLock {
                    $0 = HTTPResponse(status: status, headers: ["Content-Type": type], body: Array(body.utf8))
                }
                return DoorSender.allCases.map { doors.visit($0, DoorVisitor("Pat"), number: 0).outcome }
            }
            #expect(outcomes(200, #"{"code":"SUCCESS"}"#) == [.admitted(), .admitted()])
            #expect(
                outcomes(200, #"{"code":"REJECTED","rejectionMessage":"Denied."}"#)
                    == [.denied("Denied. Please see the front desk."), .admitted()])
            #expect(outcomes(412, #"{"message":"m"}"#) == [.aborted("answered 412"), .review("m")])
            #expect(outcomes(201, #"{"code":"SUCCESS"}"#) == [.aborted("answered 201"), .unsettled("answered 201")])
            #expect(outcomes(200, "{}") == [.aborted("the answer has no code"), .admitted()])
            #expect(outcomes(200, "ok") == [.aborted("the answer cannot be read"), .admitted()])
            #expect(outcomes(200, "{}", type: "text/plain") == [.aborted("the answer is no JSON"), .admitted()])
            #expect(outcomes(0) == [.aborted("no answer within \(doors.sine.patience)"), .admittedBySilence])
            #expect(outcomes(1).allSatisfy { $0 != .admitted() && $0 != .admittedBySilence })
        }

        @Test("tell what was not acknowledged five times more, where the sender does")
        func retries() throws {
            let tries = Counter()
            let server = ScriptedServer(answering: { _ in HTTPResponse(status: tries.take() == 2 ? 204 : 503) })
            var doors = Doors(port: server.port)
            #expect(doors.envoy.retryDelays.reduce(.zero, +) == .seconds(600))
            doors.envoy.retryDelays = doors.envoy.retryDelays.map { $0 / 10_000 }
            let told = doors.envoy.tell("entry_sign_out", DoorVisitor("Pat"), job: "1")
            #expect(told.map { $0.answer?.status } == [503, 503, 204])
            doors = Doors(port: try freePort())
            doors.envoy.retryDelays = Array(repeating: .milliseconds(1), count: 5)
            let lost = doors.envoy.tell("entry_sign_out", DoorVisitor("Pat"), job: "1")
            #expect(lost.count == 6 && lost.allSatisfy { $0.answer == nil })
        }
    }
}
