import Testing

@testable import EventLog

@Suite("Log positions")
struct LogPositionTests {
    @Test("a position survives being written as text", arguments: [[0], [1, 2, 3], [Int64.max], [-1, 4, -1]])
    func text(offsets: [Int64]) {
        let position = LogPosition(offsets: offsets)
        #expect(LogPosition(position.description) == position)
    }

    @Test("what is no position is refused", arguments: ["", ",", "1,", "-2", "a", "1 ", "9223372036854775808"])
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

    @Test("a partition that is left out is never past, never behind, and as the other position has it")
    func leftOut() {
        let position = LogPosition(offsets: [5, LogPosition.unread])
        #expect(!position.isPast(RecordPlace(partition: 1, offset: 0)))
        #expect(position.isAtEnd(of: LogPosition(offsets: [5, 9])))
        #expect(!position.isAtEnd(of: LogPosition(offsets: [6, 9])))
        #expect(position.isAtEnd(of: LogPosition(offsets: [LogPosition.unread, 9])))
        #expect(LogPosition.none(count: 2).isAtEnd(of: LogPosition(offsets: [1, 1])))
        #expect(position.lowest(LogPosition(offsets: [7, 3])) == LogPosition(offsets: [5, 3]))
        #expect(LogPosition.none(count: 2).lowest(position) == position)
    }
}
