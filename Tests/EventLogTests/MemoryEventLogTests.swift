import Events
import Testing

@testable import EventLog

@Suite("The log in memory")
struct MemoryEventLogTests {
    @Test("a duplicate waits for what it repeats and shares its failure")
    func sharedFailure() async throws {
        let log = MemoryEventLog()
        log.hold()
        let results = Box<[Result<[AppendOutcome], LogFailure>]>([])
        for _ in 0..<3 {
            log.append(AppendBatch(records: [record(1)])) { result in results.update { $0.append(result) } }
        }
        #expect(results.value.isEmpty)
        let failure = LogFailure(.unavailable, "for the test")
        log.fail(with: failure)
        log.release()
        #expect(results.value.allSatisfy { $0 == .failure(failure) })
        #expect(results.value.count == 3)
        log.fail(with: nil)
        #expect(try await log.append([record(1)]).map(isDuplicate) == [false])
    }

    @Test("removes finished records only, and remembers their ids")
    func expire() async throws {
        let log = MemoryEventLog()
        _ = try await log.append((0..<90).map { record($0, receivedAtMs: Int64($0)) })
        let start = log.beginning
        log.expire(beforeMs: 50)
        #expect(log.beginning == start, "nothing goes before somebody says what is finished")
        let floor = try log.read(from: start, maximumRecords: 20, maximumBytes: .max).next
        log.retain { floor }
        log.expire(beforeMs: 1000)
        #expect(log.beginning == floor)
        let failure = #expect(throws: LogFailure.self) {
            try log.read(from: start, maximumRecords: 1, maximumBytes: 1)
        }
        #expect(failure?.code == .expired)
        #expect(try await log.append([record(0)]) == [.duplicate])
        #expect(log.count(from: log.beginning, to: log.head) == 70)
    }
}
