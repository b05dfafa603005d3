import Cryptography
import Events
import Foundation
import HTTPTypes
import Rules
import Synchronization
import Testing
import Vendors

@testable import Ingest

@Suite("An asked system's answer")
struct AskedAnswerTests {
    @Test("is read with its texts")
    func good() throws {
        let text = #"{"visitor_notes":"v","decision":"review","message":"m","admin_notes":"a"}"#
        #expect(
            try AskedAnswer.read(Array(text.utf8))
                == DecisionReply(.review, message: "m", adminNotes: "a", visitorNotes: "v"))
        for outcome in DecisionOutcome.allCases {
            let text = #" {"decision":"\#(outcome.rawValue)"} "#
            #expect(try AskedAnswer.read(Array(text.utf8)) == DecisionReply(outcome))
        }
    }

    @Test(
        "is a failure when it is anything else",
        arguments: [
            "", "admit", "\"admit\"", "[]", "{}", #"{"decision":"ADMIT"}"#, #"{"decision":"admit "}"#,
            #"{"decision":true}"#, #"{"decision":null}"#, #"{"decision":["admit"]}"#, #"{"message":"m"}"#,
            #"{"decision":"admit","message":null}"#, #"{"decision":"admit","message":7}"#,
            #"{"decision":"admit","allow":"yes"}"#, #"{"decision":"deny","decision":"admit"}"#,
            #"{"decision":"admit"}{}"#, #"{"Decision":"admit"}"#, "{\"decision\":\"admit\",}",
            "{\"decision\":\"admit\",\"message\":\"\(String(repeating: "x", count: 2001))\"}",
        ])
    func bad(_ text: String) {
        let failure = #expect(throws: AskFailure.self) { try AskedAnswer.read(Array(text.utf8)) }
        #expect(failure?.code == "answer_malformed")
    }
}

@Suite("Recorded answers")
struct RecordedAnswersTests {
    private func key(_ text: String, _ source: String = "s") -> RequestKey {
        RequestKey(source: source, id: EventID(keySpace: source, dedupeKey: Array(text.utf8)))
    }

    private func describe(_ standing: RecordedAnswers<Int>.Standing) -> String {
        switch standing {
        case .new: "new"
        case .waiting: "waiting"
        case .answered(let response): "\(response.status)"
        }
    }

    @Test("are given to those that wait, and to those that come later, until the window is over")
    func window() {
        let answers = RecordedAnswers<Int>(window: .seconds(1))
        #expect(describe(answers.begin(key("a"), 1, now: 0)) == "new")
        #expect(describe(answers.begin(key("a"), 2, now: 10)) == "waiting")
        #expect(describe(answers.begin(key("a", "other"), 3, now: 10)) == "new")
        #expect(answers.record(key("a"), HTTPResponse(status: 412)) == [2])
        #expect(answers.record(key("a"), HTTPResponse(status: 200)) == [], "the first answer stands")
        #expect(describe(answers.begin(key("a"), 4, now: 1_000_000_000)) == "412")
        #expect(describe(answers.begin(key("a"), 5, now: 1_000_000_001)) == "new")
    }

    @Test("are bounded: the oldest are forgotten, and one sender cannot have any number wait")
    func bounds() {
        let answers = RecordedAnswers<Int>(window: .seconds(1), capacity: 2)
        for name in ["a", "b", "c"] { #expect(describe(answers.begin(key(name), 0, now: 1)) == "new") }
        #expect(describe(answers.begin(key("b"), 0, now: 1)) == "waiting")
        #expect(describe(answers.begin(key("a"), 0, now: 1)) == "new")
        for _ in 0..<63 { _ = answers.begin(key("c"), 0, now: 1) }
        let last = (0..<4).map { _ in describe(answers.begin(key("c"), 0, now: 1)) }
        #expect(last.contains("new"))
        #expect(answers.record(key("c"), HTTPResponse(status: 200)).count <= 64)
    }
}

@Suite("Decisions that are to be kept")
struct DecisionLedgerTests {
    @Test("are a problem for a minute when one could not be, and when one waits for more than that")
    func problems() throws {
        let ledger = DecisionLedger()
        let minute = DecisionLedger.memory
        let first = try #require(ledger.open(now: 0))
        let second = try #require(ledger.open(now: 0))
        #expect(ledger.problem(now: 1) == nil)
        #expect(ledger.problem(now: minute) == "2 decisions could not be kept for a minute")
        ledger.kept(first)
        ledger.unkept(second, now: minute)
        #expect(ledger.problem(now: minute + 1) == "1 decision could not be kept since the start")
        #expect(ledger.problem(now: 2 * minute) == nil)
    }

    @Test("are bounded")
    func bound() {
        let ledger = DecisionLedger()
        for _ in 0..<DecisionLedger.capacity { #expect(ledger.open(now: 0) != nil) }
        #expect(ledger.open(now: 0) == nil)
        #expect(ledger.problem(now: 1) == "1 decision could not be kept since the start")
    }
}

@Suite("The clock of deadlines")
struct DecisionTimerTests {
    @Test("calls what is due in its order, not what was cancelled, and everything when it stops")
    func order() {
        let timer = DecisionTimer()
        let called = Mutex<[Int]>([])
        let done = DispatchSemaphore(value: 0)
        let now = MonotonicClock.nanoseconds()
        func schedule(_ number: Int, _ milliseconds: UInt64) -> DecisionTimer.Ticket {
            timer.schedule(at: now + milliseconds * 1_000_000) {
                called.withLock { $0.append(number) }
                done.signal()
            }
        }
        let hour: UInt64 = 3_600_000
        _ = schedule(4, 3 * hour)
        _ = schedule(2, hour)
        let cancelled = schedule(9, hour)
        _ = schedule(3, 2 * hour)
        _ = schedule(1, 20)
        timer.cancel(cancelled)
        done.wait()
        #expect(called.withLock { $0 } == [1])
        timer.stop()
        #expect(called.withLock { $0 } == [1, 2, 3, 4])
        _ = schedule(5, hour)
        #expect(called.withLock { $0 } == [1, 2, 3, 4, 5])
    }
}

@Suite("The lane of decisions")
struct DecisionLaneTests {
    @Test("goes on while one job takes long, says no when it is full, and finishes what it has")
    func jobs() {
        let gate = DispatchSemaphore(value: 0)
        let done = Mutex<[Int]>([])
        let lane = DecisionLane<Int>(threads: 2, capacity: 3) { lane in
            { job in
                if job == 0 { gate.wait() }
                if job == 1 { _ = lane.offer(100, isGoingOn: true) }
                done.withLock { $0.append(job) }
            }
        }
        #expect(lane.offer(0))
        #expect(lane.offer(1))
        while done.withLock({ $0.sorted() }) != [1, 100] { usleep(1000) }
        #expect(lane.offer(0))
        // Both threads wait now, or are about to: three may stand in the queue.
        let taken = (0..<8).count { _ in lane.offer(2) }
        #expect((2...3).contains(taken))
        gate.signal()
        gate.signal()
        lane.stop()
        #expect(done.withLock { $0.count { $0 == 2 } } == taken)
        #expect(!lane.offer(3))
    }
}
