import Events
import Testing

@testable import KafkaLog

@Suite("Finding repeats")
struct RepeatFinderTests {
    /// A partition: what stands in it, by offset.
    private struct Record {
        let id: EventID
        let atMs: Int64
    }

    private func id(_ number: Int) -> EventID { EventID(keySpace: "test", dedupeKey: Array("\(number)".utf8)) }

    /// Hands over a partition from a place on, as a reader does: it goes back where it is told to.
    private func read(_ records: [Record], from start: Int, to end: Int, _ finder: RepeatFinder) -> [Bool] {
        var verdicts: [Bool] = []
        for offset in start..<end {
            let record = records[offset]
            func judge(settles: Bool = false) -> RepeatFinder.Verdict {
                finder.judge(
                    0, from: Int64(offset), at: Int64(offset), record.id, receivedAtMs: record.atMs, settles: settles)
            }
            var verdict = judge()
            if case .isOpen(let sinceMs) = verdict {
                let first = records.firstIndex { $0.atMs >= sinceMs } ?? offset
                finder.begin(0, at: Int64(min(first, offset)), coveredSinceMs: sinceMs)
                for earlier in min(first, offset)..<offset {
                    finder.learn(
                        0, from: Int64(earlier), at: Int64(earlier), records[earlier].id,
                        receivedAtMs: records[earlier].atMs)
                }
                verdict = judge()
            }
            #expect(verdict == .isNew || verdict == .isRepeat)
            verdicts.append(verdict == .isRepeat)
        }
        return verdicts
    }

    @Test("an event is a repeat when it stands earlier, received at most a window before")
    func window() {
        let finder = RepeatFinder(window: .seconds(10))
        let records = [
            Record(id: id(1), atMs: 0), Record(id: id(2), atMs: 5000), Record(id: id(1), atMs: 10_000),
            Record(id: id(2), atMs: 15_001), Record(id: id(1), atMs: 20_000), Record(id: id(1), atMs: 2000),
        ]
        #expect(read(records, from: 0, to: 6, finder) == [false, false, true, false, true, true])
    }

    @Test("every reader finds the same, wherever it begins, and so does another instance", arguments: 0..<20)
    func agreement(seed: UInt64) {
        var random = SplitMix(state: seed)
        var now: Int64 = 1_000_000
        let records = (0..<400).map { _ in
            now += Int64(random.next() % 300)
            // Some were received long before they were published.
            let delay = random.next() % 20 == 0 ? Int64(random.next() % 60_000) : Int64(random.next() % 50)
            return Record(id: id(Int(random.next() % 150)), atMs: now - delay)
        }
        let windowMs: Int64 = 10_000
        let expected = records.indices.map { offset in
            records[..<offset].contains {
                $0.id == records[offset].id && $0.atMs >= records[offset].atMs - windowMs
            }
        }
        let shared = RepeatFinder(window: .milliseconds(windowMs))
        for _ in 0..<12 {
            let start = Int(random.next() % 380)
            let end = min(400, start + Int(random.next() % 150))
            let another = RepeatFinder(window: .milliseconds(windowMs))
            #expect(read(records, from: start, to: end, another) == Array(expected[start..<end]))
            #expect(read(records, from: start, to: end, shared) == Array(expected[start..<end]))
        }
    }

    @Test("what was judged is known without learning anything again")
    func remembered() {
        let finder = RepeatFinder(window: .seconds(10))
        let records = (0..<100).map { Record(id: id($0 % 60), atMs: Int64($0)) }
        let first = read(records, from: 0, to: 100, finder)
        for offset in 20..<80 {
            let verdict = finder.judge(
                0, from: Int64(offset), at: Int64(offset), records[offset].id, receivedAtMs: records[offset].atMs)
            #expect((verdict == .isRepeat) == first[offset])
        }
        #expect(finder.isReady(0, at: 50, sinceMs: 0))
        #expect(finder.isReady(0, at: 100, sinceMs: -10_000))
        #expect(!finder.isReady(0, at: 101, sinceMs: 0))
        #expect(!finder.isReady(1, at: 50, sinceMs: 0))
    }

    @Test("a judgement that cannot wait is made by what is known")
    func settling() {
        let finder = RepeatFinder(window: .seconds(10))
        #expect(finder.judge(0, from: 5, at: 5, id(1), receivedAtMs: 0) == .isOpen(sinceMs: -10_000))
        #expect(finder.judge(0, from: 5, at: 5, id(1), receivedAtMs: 0, settles: true) == .isNew)
        #expect(finder.judge(0, from: 6, at: 6, id(1), receivedAtMs: 1) == .isRepeat)
    }

    @Test("a table knows all its ids, and forgets the oldest first when it is full")
    func table() {
        var table = RepeatTable(begin: 0, coveredSinceMs: 0)
        for number in 0..<30_000 {
            table.append(id(number), atMs: Int64(number), at: Int64(number), windowMs: 1 << 40, limit: 10_000)
        }
        #expect(table.count == 10_000 && table.end == 30_000)
        #expect((20_000..<30_000).allSatisfy { table.newestTime(of: id($0)) == Int64($0) })
        #expect((0..<20_000).allSatisfy { table.newestTime(of: id($0)) == nil })
        #expect(table.coveredSinceMs == .min, "what it forgot for want of room is not asked for again")
        table.append(id(29_999), atMs: 5, at: 30_000, windowMs: 1 << 40, limit: 10_000)
        #expect(table.newestTime(of: id(29_999)) == 29_999)
    }

    @Test("a table lets go of what is older than the window, and says since when it knows")
    func aging() {
        var table = RepeatTable(begin: 0, coveredSinceMs: 0)
        for number in 0..<20_000 {
            table.append(id(number), atMs: Int64(number) * 1000, at: Int64(number), windowMs: 60_000, limit: 200_000)
        }
        #expect(table.count < 5000)
        #expect(table.coveredSinceMs > 0 && table.coveredSinceMs <= 20_000_000 - 60_000)
    }

    @Test("runs of judged offsets join, and stay few")
    func runs() {
        var judged = JudgedOffsets()
        judged.insert(10..<11, isRepeat: false)
        judged.insert(12..<13, isRepeat: true)
        #expect(judged.runs == [10..<11, 12..<13])
        judged.insert(11..<12, isRepeat: false)
        #expect(judged.runs == [10..<13])
        judged.insert(5..<8, isRepeat: true)
        #expect(judged.runs == [5..<8, 10..<13])
        #expect([5, 7, 9, 11, 12, 13].map { judged.isRepeat($0) } == [false, true, nil, false, true, nil])
        judged.insert(8..<10, isRepeat: false)
        #expect(judged.runs == [5..<13])
        for offset in stride(from: Int64(100), to: 3000, by: 2) { judged.insert(offset..<offset + 1, isRepeat: true) }
        #expect(judged.runs.count <= 256)
        #expect(judged.isRepeat(2998) == true && judged.isRepeat(5) == nil)
    }
}

/// Steele, Lea and Flood's SplitMix64.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
