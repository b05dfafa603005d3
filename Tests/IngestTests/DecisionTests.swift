import EventLog
import Events
import Foundation
import HTTPClient
import HTTPTypes
import Metrics
import Rules
import Synchronization
import Testing
import Vendors

@testable import Ingest

@Suite("A request that waits for a decision")
struct WaitingRequestTests {
    /// A fixture whose sources of both senders decide.
    private func fixture(
        _ rules: String = decisionExample, mode: SourceMode = .decision, asker: (any DecisionAsker)? = nil,
        deadline: Duration? = nil
    ) throws -> IntakeFixture {
        try IntakeFixture(
            { source in
                guard source.vendor.waiting != nil else { return }
                source.mode = mode
                source.deadline = deadline
            }, decisions: decisionPlan(rules), asker: asker)
    }

    private static let outcomes: [(name: String, sine: String, envoy: String, decision: [String?])] = [
        (
            "Admit", #"200 {"code":"SUCCESS","adminNotes":"A guest","visitorNotes":"Hello"}"#, "200 {}",
            ["admit", "rule guests", nil, "Hello\nA guest"]
        ),
        (
            "Deny", #"200 {"code":"REJECTED","rejectionMessage":"Not today, Pat"}"#,
            #"412 {"message":"Not today, Pat"}"#, ["deny", nil, "Not today, Pat", nil]
        ),
        (
            "Review", #"200 {"code":"REJECTED","rejectionMessage":"Wait here"}"#, #"412 {"message":"Wait here"}"#,
            ["review", "rule watched", "Wait here", nil]
        ),
        (
            "Nobody", #"200 {"code":"REJECTED","rejectionMessage":"Please see the reception."}"#,
            #"412 {"message":"Please see the reception."}"#, ["deny", "default", "Please see the reception.", nil]
        ),
        (
            "Odd", #"200 {"code":"REJECTED","rejectionMessage":"Please see the reception."}"#,
            #"412 {"message":"Please see the reception."}"#,
            ["deny", "undecided timeless", "Please see the reception.", nil]
        ),
        (
            "Ask", #"200 {"code":"SUCCESS","visitorNotes":"Gate 4"}"#, "200 {}",
            ["admit", "asked asked", nil, "Gate 4"]
        ),
    ]

    @Test(
        "gets the decision in its sender's dialect, byte for byte; it is kept as an event that says what was decided",
        arguments: IntakeFixture.deciding, 0..<6)
    func outcomes(_ vendor: String, _ place: Int) throws {
        let outcome = Self.outcomes[place]
        let asker = ScriptedAsker(answering: #"{"decision":"admit","visitor_notes":"Gate 4"}"#)
        let fixture = try fixture(asker: asker)
        let answer = try fixture.ask(vendor, outcome.name)
        #expect(shown(answer) == (vendor == "sine" ? outcome.sine : outcome.envoy))
        #expect(answer?.headers["Content-Type"] == "application/json")
        #expect(fixture.waitUntil { fixture.log.records.count == 1 })
        let event = try #require(try fixture.events().first)
        #expect(event.type == "visitor.signin.requested")
        #expect(event.text(.decisionOutcome) == outcome.decision[0])
        if let reason = outcome.decision[1] { #expect(event.text(.decisionReason) == reason) }
        #expect(event.text(.decisionMessage) == outcome.decision[2])
        #expect(event.text(.decisionNotes) == outcome.decision[3])
        #expect(asker.asked.withLock { $0.map(\.target) } == (outcome.name == "Ask" ? ["access"] : []))
        #expect(fixture.intake.decisionProblem == nil)
        #expect(
            fixture.metrics.render().contains(
                #"gatehouse_decisions_total{source="from-\#(vendor)",mode="decision",outcome="\#(outcome.decision[0] ?? "")""#
            ))
    }

    @Test("gets the plain success where nothing is decided", arguments: IntakeFixture.deciding)
    func undecided(_ vendor: String) throws {
        for fixture in [try IntakeFixture(), try fixture(mode: .notify)] {
            let answer = try fixture.ask(vendor, "Deny")
            #expect(shown(answer) == (vendor == "sine" ? #"200 {"code":"SUCCESS"}"# : "200 {}"))
            let event = try #require(try fixture.events().first)
            #expect(event.type == (vendor == "sine" ? "visitor.signin.requested" : "visitor.signin"))
            #expect(event.text(.decisionOutcome) == nil)
        }
    }

    @Test(
        "is admitted where the rules are only tried, and what would have been decided is kept",
        arguments: IntakeFixture.deciding)
    func shadow(_ vendor: String) throws {
        let fixture = try fixture(mode: .shadow, asker: ScriptedAsker(answering: #"{"decision":"review"}"#))
        for name in ["Deny", "Ask", "Admit"] {
            #expect(shown(try fixture.ask(vendor, name)) == (vendor == "sine" ? #"200 {"code":"SUCCESS"}"# : "200 {}"))
        }
        #expect(fixture.waitUntil { fixture.log.records.count == 3 })
        let reasons = try fixture.events().map {
            "\($0.text(.decisionOutcome) ?? "-") \($0.text(.decisionReason)?.split(separator: " ").prefix(2).joined(separator: " ") ?? "-")"
        }
        #expect(Set(reasons) == ["deny shadow: rule", "review shadow: asked", "admit shadow: rule"])
    }

    @Test(
        "is admitted at once where the rules are only tried, also when another system is asked and the request comes again"
    )
    func shadowAsks() throws {
        let pending = Mutex<[ScriptedAsker.Completion]>([])
        let fixture = try fixture(
            mode: .shadow, asker: ScriptedAsker { completion in pending.withLock { $0.append(completion) } })
        for _ in 0..<2 { #expect(shown(try fixture.ask("envoy", "Ask")) == "200 {}") }
        #expect(fixture.waitUntil { pending.withLock { $0.count } == 1 })
        #expect(fixture.log.records.isEmpty)
        pending.withLock { $0[0] }(.success(Array(#"{"decision":"deny"}"#.utf8)))
        #expect(fixture.waitUntil { fixture.log.records.count == 1 })
        #expect(try fixture.events().first?.text(.decisionOutcome) == "deny")
    }

    @Test("is answered whether or not its event can be kept; what cannot is counted, and is a problem")
    func unkept() throws {
        let fixture = try fixture()
        fixture.log.close()
        #expect(shown(try fixture.ask("envoy", "Deny", attempt: 1)).hasPrefix("412 "))
        #expect(fixture.waitUntil { fixture.log.records.count == 1 })
        fixture.log.fail(LogFailure(.full, "no space"))
        #expect(shown(try fixture.ask("envoy", "Admit", attempt: 2)) == "200 {}")
        #expect(fixture.waitUntil { fixture.intake.decisionProblem != nil })
        #expect(fixture.intake.decisionProblem == "1 decision could not be kept since the start")
        #expect(fixture.metrics.render().contains(#"gatehouse_decisions_unkept_total{source="from-envoy"} 1"#))
    }

    @Test(
        "and comes again gets the recorded answer, and is one event; another attempt is decided anew",
        arguments: IntakeFixture.deciding)
    func identical(_ vendor: String) throws {
        let fixture = try fixture()
        let first = shown(try fixture.ask(vendor, "Deny", attempt: 1))
        let rules = try decisionPlan("decisions: [{name: all, deny: Changed}]\n")
        fixture.intake.reload(IntakeConfiguration(sources: fixture.sources, decisions: rules))
        #expect(shown(try fixture.ask(vendor, "Deny", attempt: 1)) == first)
        let other = shown(try fixture.ask(vendor, "Deny", attempt: 2))
        #expect(other.contains("Changed") && other != first)
        #expect(fixture.waitUntil { fixture.log.records.count == 2 })
        #expect(fixture.log.seen == 2)
    }

    @Test("and comes again while another system is asked gets that answer too; it is asked once")
    func identicalMeanwhile() throws {
        let pending = Mutex<[ScriptedAsker.Completion]>([])
        let asker = ScriptedAsker { completion in pending.withLock { $0.append(completion) } }
        let fixture = try fixture(asker: asker, deadline: .seconds(20))
        let answers = Mutex<[String]>([])
        for _ in 0..<3 {
            Thread.detachNewThread {
                let answer = shown(try? fixture.ask("envoy", "Ask"))
                answers.withLock { $0.append(answer) }
            }
        }
        #expect(fixture.waitUntil { pending.withLock { $0.count } == 1 })
        // The others may come before or after: all get the same.
        let completion = pending.withLock { $0[0] }
        completion(.success(Array(#"{"decision":"deny","message":"Closed"}"#.utf8)))
        completion(.success(Array(#"{"decision":"admit"}"#.utf8)))
        #expect(fixture.waitUntil { answers.withLock { $0.count } == 3 })
        #expect(answers.withLock { Set($0) } == [#"412 {"message":"Closed"}"#])
        #expect(asker.asked.withLock { $0.count } == 1)
    }

    // MARK: What is no such request

    @Test(
        "is told from a notification of the same sender by its type: that is acknowledged when it is durable, not before"
    )
    func notifications() throws {
        let fixture = try fixture()
        fixture.log.close()
        let sine = try #require(Vendors.named("sine"))
        let body = Array(
            #"{"event":"signin_after","date":"2024-07-30T01:53:08Z","data":{"id":"1","lastName":"Deny"}}"#.utf8)
        let done = DispatchSemaphore(value: 0)
        let answer = Mutex("")
        Thread.detachNewThread {
            let text = shown(fixture.postSigned(sine, body))
            answer.withLock { $0 = text }
            done.signal()
        }
        #expect(fixture.waitUntil { fixture.log.records.count == 1 })
        #expect(shown(try fixture.ask("sine", "Deny")).contains("REJECTED"), "a stalled log makes no door wait")
        #expect(answer.withLock { $0.isEmpty })
        fixture.log.open()
        done.wait()
        #expect(answer.withLock { $0 } == #"200 {"code":"SUCCESS"}"#)
        #expect(try fixture.events().first?.text(.decisionOutcome) == nil)
    }

    @Test(
        "of Envoy is not one that signs out or tells of an invitation", arguments: ["entry_sign_out", "invite_created"])
    func reports(_ event: String) throws {
        let fixture = try fixture()
        let body =
            #"{"meta":{"event":"\#(event)","job":{"id":"j"}},"payload":{"id":"1","attributes":{"full-name":"Pat Deny"}}}"#
        #expect(shown(fixture.postSigned(try #require(Vendors.named("envoy")), Array(body.utf8))) == "200 {}")
        #expect(try fixture.events().first?.text(.decisionOutcome) == nil)
    }

    @Test("that cannot be read admits nobody, where a plain refusal would")
    func malformed() throws {
        let fixture = try fixture()
        let envoy = try #require(Vendors.named("envoy"))
        #expect(shown(fixture.postSigned(envoy, Array("{".utf8))) == #"412 {"message":"Please see the reception."}"#)
        #expect(fixture.lastRefusal()?.code == "malformed_json")
        #expect(fixture.postSigned(try #require(Vendors.named("sine")), Array("{".utf8))?.status == 400)
        #expect(fixture.post(envoy, Array("{}".utf8), [:])?.status == 401, "who is not known is told nothing else")
        #expect(fixture.log.records.isEmpty)
    }
}
