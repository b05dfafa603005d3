import Dispatch
import Events
import SQLite
import Synchronization
import Testing

@testable import EventLog

@Suite("What somebody waits for, in the embedded log")
struct UrgencyTests {
    private let folder = TemporaryFolder()

    /// Holds the writer's first commit until it is opened.
    private final class Gate: Sendable {
        private let isEntered = DispatchSemaphore(value: 0)
        private let isOpen = DispatchSemaphore(value: 0)
        private let isFirst = Mutex(true)

        func pass() {
            let holds = isFirst.withLock { first in
                defer { first = false }
                return first
            }
            guard holds else { return }
            isEntered.signal()
            isOpen.wait()
        }

        func waitUntilEntered() -> Bool { isEntered.wait(timeout: .now() + 30) == .success }
        func open() { isOpen.signal() }
    }

    /// The offsets that batches were given, by their names, and the order in which they were answered.
    private final class Answers: Sendable {
        private let state = Mutex<(offsets: [String: [Int64]], order: [String])>(([:], []))

        var count: Int { state.withLock { $0.order.count } }
        var order: [String] { state.withLock { $0.order } }
        func offsets(_ name: String) -> [Int64] { state.withLock { $0.offsets[name] ?? [] } }

        func note(_ name: String) -> @Sendable (Result<[AppendOutcome], LogFailure>) -> Void {
            { result in
                let outcomes = (try? result.get()) ?? []
                let offsets = outcomes.compactMap { if case .appended(let place) = $0 { place.offset } else { nil } }
                self.state.withLock {
                    $0.offsets[name] = offsets
                    $0.order.append(name)
                }
            }
        }
    }

    @Test("is written before a batch of 20 000 events and everything else that waits")
    func first() async throws {
        let gate = Gate()
        var options = EventLogOptions()
        options.queuedRecords = 30_000
        options.beforeCommit = { () throws(SQLiteError) in gate.pass() }
        let log = try SQLiteEventLog.open(folder: folder.path, options: options)
        let answers = Answers()
        func append(_ name: String, _ numbers: Range<Int>, isUrgent: Bool = false) {
            let batch = AppendBatch(records: numbers.map { record($0) }, isUrgent: isUrgent)
            log.append(batch, completion: answers.note(name))
        }
        append("under way", 0..<1)
        try #require(gate.waitUntilEntered())
        append("batch", 1..<20_001)
        for number in 0..<600 { append("other \(number)", 20_001 + number..<20_002 + number) }
        append("decision", 30_000..<30_001, isUrgent: true)
        append("another decision", 30_001..<30_002, isUrgent: true)
        gate.open()
        #expect(try await eventually { answers.count == 604 })
        let first = try #require(answers.offsets("under way").first)
        #expect(answers.offsets("decision") == [first + 1])
        #expect(answers.offsets("another decision") == [first + 2])
        #expect(answers.offsets("batch").count == 20_000)
        #expect(answers.order.prefix(3) == ["under way", "decision", "another decision"])
        #expect(answers.order.last == "batch")
        log.close()
    }

    @Test("is taken when the others' room is full, up to a room of its own")
    func room() throws {
        let gate = Gate()
        var options = EventLogOptions()
        options.queuedRecords = 4
        options.beforeCommit = { () throws(SQLiteError) in gate.pass() }
        let log = try SQLiteEventLog.open(folder: folder.path, options: options)
        func isRefused(_ number: Int, isUrgent: Bool) -> Bool {
            let refusal = Mutex(false)
            log.append(AppendBatch(records: [record(number)], isUrgent: isUrgent)) { result in
                // Called at once where it is refused, else when the writer goes on.
                if case .failure = result { refusal.withLock { $0 = true } }
            }
            return refusal.withLock { $0 }
        }
        #expect(!isRefused(0, isUrgent: false))
        try #require(gate.waitUntilEntered())
        for number in 1..<4 { #expect(!isRefused(number, isUrgent: false)) }
        #expect(isRefused(4, isUrgent: false))
        for number in 5..<5 + AppendQueue.urgentRecords {
            if isRefused(number, isUrgent: true) { Issue.record("refused at \(number)") }
        }
        #expect(isRefused(100_000, isUrgent: true))
        gate.open()
        log.close()
    }
}
