import EventLog
import Events
import Foundation
import HTTPClient
import HTTPTypes
import Metrics
import Synchronization
import Testing
import Vendors

@testable import Ingest

@Suite("Many waiting requests, while everything fails")
struct DecisionFaultTests {
    /// What the asked system does with one question.
    private enum Conduct: Int, CaseIterable, Sendable {
        case admits, denies, isSilent, contradictsItself, saysNonsense, admitsTooLate, fails, hangsTheAsker
    }

    /// Asked of the event's attempt, so that a test knows what must come of it.
    private final class FaultyAsker: DecisionAsker {
        let gate = DispatchSemaphore(value: 0)
        let late = Mutex<[@Sendable () -> Void]>([])
        private let hanging = Mutex(0)
        private let mostHanging: Int

        init(mostHanging: Int) { self.mostHanging = mostHanging }

        var hung: Int { hanging.withLock { $0 } }

        func ask(
            _ target: String, about event: EncodedEvent, within time: Duration,
            completion: @escaping @Sendable (Result<[UInt8], AskFailure>) -> Void
        ) {
            let admit = Array(#"{"decision":"admit"}"#.utf8)
            switch DecisionFaultTests.conduct(event.payload) {
            case .admits: completion(.success(admit))
            case .denies: completion(.success(Array(#"{"decision":"deny"}"#.utf8)))
            case .isSilent: late.withLock { $0.append { _ = completion } }
            case .contradictsItself:
                completion(.success(Array(#"{"decision":"deny"}"#.utf8)))
                completion(.success(admit))
            case .saysNonsense: completion(.success(Array(#"{"decision":"admit","decision":"deny"}"#.utf8)))
            case .admitsTooLate: late.withLock { $0.append { completion(.success(admit)) } }
            case .fails, nil: completion(.failure(AskFailure("tls_name", "")))
            case .hangsTheAsker:
                let hangs = hanging.withLock { count in
                    count += 1
                    return count <= mostHanging
                }
                if hangs { gate.wait() }
                completion(.failure(AskFailure("timeout", "")))
            }
        }
    }

    /// The attempt stands in the visitor's name.
    private static func conduct(_ payload: [UInt8]) -> Conduct? {
        let text = String(decoding: payload, as: UTF8.self)
        guard let match = text.firstMatch(of: /Pat-(\d+)/), let attempt = Int(match.1) else { return nil }
        return Conduct(rawValue: attempt % Conduct.allCases.count)
    }

    @Test(
        "leave none unanswered, and admit none that the rules do not; what was answered is what is kept",
        arguments: IntakeFixture.deciding, [0, 2, 8])
    func storm(_ name: String, _ mostHanging: Int) throws {
        let asker = FaultyAsker(mostHanging: mostHanging)
        let fixture = try IntakeFixture(
            { source in
                guard source.vendor.waiting != nil else { return }
                source.mode = .decision
                source.deadline = .milliseconds(400)
            }, decisions: decisionPlan("decisions: [{name: all, ask: {target: access}}]\n"), asker: asker)
        let vendor = try #require(Vendors.named(name))
        let count = 400
        let answers = Mutex<[Int: String]>([:])
        let places = DispatchSemaphore(value: 64)
        for attempt in 0..<count {
            let body = Array(Self.body(name, attempt).utf8)
            places.wait()
            fixture.client.send(fixture.request(vendor, body, fixture.signature(vendor, body))) { result in
                let text = shown(try? result.get())
                answers.withLock { $0[attempt] = text }
                places.signal()
            }
        }
        #expect(fixture.waitUntil { answers.withLock { $0.count } == count })
        let late = asker.late.withLock { $0 }
        for answer in late { answer() }
        for _ in 0..<max(asker.hung, 1) { asker.gate.signal() }
        #expect(fixture.waitUntil { fixture.log.records.count == count })

        let (admitted, denied) = (
            shown(vendor.answer(to: DecisionReply(.admit))), shown(vendor.answer(to: DecisionReply(.deny)))
        )
        var admittedCount = 0
        for (attempt, answer) in answers.withLock({ $0 }) {
            let mayAdmit = Conduct(rawValue: attempt % Conduct.allCases.count) == .admits
            // Sine is told that a request nobody had looked into is too late.
            let isTooSlow = name == "sine" && answer.hasPrefix("503 ")
            #expect(answer == denied || isTooSlow || (mayAdmit && answer == admitted), "\(attempt): \(answer)")
            if answer == admitted { admittedCount += 1 }
        }
        if mostHanging == 0 { #expect(admittedCount > 0) }
        let kept = try fixture.events().count { $0.text(.decisionOutcome) == "admit" }
        #expect(kept == admittedCount)
        #expect(fixture.intake.decisionProblem == nil)
    }

    private static func body(_ name: String, _ attempt: Int) -> String {
        name == "sine"
            ? #"{"event":"signin_before","date":"2024-07-30T01:43:10Z","data":{"firstName":"Pat-\#(attempt)"}}"#
            : #"{"meta":{"event":"entry_sign_in","job":{"id":"\#(attempt)"}},"payload":{"id":"1","type":"entries","attributes":{"full-name":"Pat-\#(attempt)"}}}"#
    }
}

private func shown(_ response: HTTPResponse) -> String {
    "\(response.status) \(String(decoding: response.body, as: UTF8.self))"
}
