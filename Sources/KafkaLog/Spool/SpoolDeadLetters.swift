internal import EventLog
package import Events
internal import Glibc
package import JSON
internal import Logging
internal import SQLite

/// Something that was acknowledged from the spool, and that Kafka then refused for good.
package struct SpoolDeadLetter: Sendable, Equatable {
    /// Its number in this spool.
    package var number: Int64
    package var id: EventID
    package var buriedAtMs: Int64
    package var receivedAtMs: Int64
    /// Kafka's.
    package var reason: String
    /// Nil where the row cannot be read any more, or is an element that was no event.
    package var type: String?
    package var source: String?
    /// Of its text, in bytes.
    package var size: Int

    /// `{id, event, at, received_at, reason, type, source, size}`
    package func appendJSON(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", number)
        writer.member("event", id.hex)
        writer.member("at", Timestamp(milliseconds: buriedAtMs).text)
        writer.member("received_at", Timestamp(milliseconds: receivedAtMs).text)
        writer.member("reason", reason)
        writer.member("type", type)
        writer.member("source", source)
        writer.member("size", Int64(size))
        writer.endObject()
    }
}

/// The dead letters of a spool, for an operator's command.
package struct SpoolDeadLetters {
    private let folder: String
    private let lanes: Lanes

    package init(_ options: KafkaLogOptions) {
        folder = options.spoolFolder
        lanes = Lanes(layout: options.layout)
    }

    private var path: String { "\(folder)/spool.db" }

    /// Gives each of them, the oldest first, also while an instance uses the spool.
    package func forEach(_ body: (SpoolDeadLetter) throws -> Void) throws {
        guard unsafe access(path, F_OK) == 0 else { return }
        let database = try Database(path: path, mode: .readOnly)
        try database.forEachRow("SELECT \(SpoolFile.deadColumns) FROM dead ORDER BY seq") { row in
            try body(SpoolFile.deadLetter(row).letter)
        }
    }

    /// Has the next start publish them.
    /// - Parameter numbers: nil: all.
    /// - Returns: how many; those that cannot be read stay.
    /// - Throws: `locked` while an instance uses the spool.
    package func requeue(_ numbers: Set<Int64>?) throws -> Int {
        try change { file in try file.requeue(numbers, lanes) }
    }

    /// Gives them up.
    package func discard(_ numbers: Set<Int64>?) throws -> Int {
        try change { file in try file.discard(numbers) }
    }

    private func change(_ body: (SpoolFile) throws -> Int) throws -> Int {
        guard unsafe access(path, F_OK) == 0 else { return 0 }
        let lock = try InstanceLock(folder: folder)
        return try withExtendedLifetime(lock) {
            try body(try SpoolOpening(folder: folder, lanes: lanes, logger: .silent, acceptsLoss: false).open())
        }
    }
}

extension SpoolFile {
    static let deadColumns = "seq, sum, id, received_at, body, reason, buried_at"

    /// - Returns: also what it is, nil where the row does not match its checksum.
    static func deadLetter(_ row: borrowing Statement) -> (letter: SpoolDeadLetter, item: LogItem?) {
        let (number, body) = (row.integer(0), row.bytes(4))
        let item = SpoolCoding.sum(body, sequence: number) == row.integer(1) ? SpoolCoding.decode(body) : nil
        var letter = SpoolDeadLetter(
            number: number, id: EventID(hex: String(decoding: row.bytes(2), as: UTF8.self)) ?? EventID(high: 0, low: 0),
            buriedAtMs: row.integer(6), receivedAtMs: row.integer(3), reason: row.text(5) ?? "", size: body.count)
        if let item { letter.source = item.source }
        if case .event(let record) = item {
            letter.type = record.type
            letter.size = record.payload.count
        }
        return (letter, item)
    }

    func requeue(_ numbers: Set<Int64>?, _ lanes: Lanes) throws -> Int {
        try forEachDead(numbers) { letter, item in
            guard let item, let lane = lanes.lane(of: item) else { return false }
            _ = try add(SpoolEntry(token: 0, lane: lane, item: item))
            return true
        }
    }

    func discard(_ numbers: Set<Int64>?) throws -> Int { try forEachDead(numbers) { _, _ in true } }

    /// Takes those out of the dead letters that are done with.
    private func forEachDead(
        _ numbers: Set<Int64>?, _ isDone: (SpoolDeadLetter, LogItem?) throws -> Bool
    ) throws -> Int {
        var all: [Int64] = []
        try database.forEachRow("SELECT seq FROM dead ORDER BY seq") { all.append($0.integer(0)) }
        var count = 0
        try begin()
        do {
            for number in all where numbers?.contains(number) ?? true {
                var found: (letter: SpoolDeadLetter, item: LogItem?)?
                try database.forEachRow(
                    "SELECT \(Self.deadColumns) FROM dead WHERE seq = ?", [.integer(number)]
                ) { found = Self.deadLetter($0) }
                guard let found, try isDone(found.letter, found.item) else { continue }
                try database.execute("DELETE FROM dead WHERE seq = ?", [.integer(number)])
                dead -= 1
                count += 1
            }
            try commit()
        } catch {
            rollBack()
            throw error
        }
        return count
    }
}
