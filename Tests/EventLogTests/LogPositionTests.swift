import Testing

@testable import EventLog

@Suite("Log positions")
struct LogPositionTests {
    @Test("a position survives being written as text", arguments: [[0], [1, 2, 3], [Int64.max]])
    func text(offsets: [Int64]) {
        let position = LogPosition(offsets: offsets)
        #expect(LogPosition(position.description) == position)
    }

    @Test("what is no position is refused", arguments: ["", ",", "1,", "-1", "a", "1 ", "9223372036854775808"])
    func refused(text: String) {
        #expect(LogPosition(text) == nil)
    }

    @Test("a position is past what lies below it in the same partition")
    func past() {
        let position = LogPosition(offsets: [5, 0])
        #expect(position.isPast(RecordPlace(partition: 0, offset: 4)))
        #expect(!position.isPast(RecordPlace(partition: 0, offset: 5)))
        #expect(!position.isPast(RecordPlace(partition: 1, offset: 0)))
        #expect(!position.isPast(RecordPlace(partition: 2, offset: 0)))
        #expect(position.lowest(LogPosition(offsets: [3, 2])) == LogPosition(offsets: [3, 0]))
    }
}
