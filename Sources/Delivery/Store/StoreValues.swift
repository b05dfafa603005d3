package import EventLog
internal import Events
internal import SQLite

/// A target as the state file knows it.
package struct StoredTarget: Sendable {
    package var id: Int64
    package var name: String
    package var type: String
    /// Where it sends to, for people.
    package var destination: String
    /// The wall clock, milliseconds.
    package var createdAtMs: Int64
    package var start: LogPosition
    /// Events accepted before `start`, and `system.…` events before it.
    package var beforeStart: Int64
    package var systemBeforeStart: Int64
    /// No longer configured.
    package var isRemoved: Bool
    package var cursor: TargetCursor
    package var openCount: Int64
}

/// What is needed to enter a new target.
package struct NewTarget: Sendable {
    package var name: String
    package var type: String
    package var destination: String
    package var createdAtMs: Int64
    package var start: LogPosition
    package var beforeStart: Int64
    package var systemBeforeStart: Int64

    package init(
        name: String, type: String, destination: String, createdAtMs: Int64, start: LogPosition, beforeStart: Int64,
        systemBeforeStart: Int64
    ) {
        self.name = name
        self.type = type
        self.destination = destination
        self.createdAtMs = createdAtMs
        self.start = start
        self.beforeStart = beforeStart
        self.systemBeforeStart = systemBeforeStart
    }
}

/// Why the state file could not be used.
package struct DeliveryStoreError: Error, Sendable, CustomStringConvertible {
    package var message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}

extension RecordPlace {
    /// Places as 12 bytes each: partition and offset, big-endian.
    static func encode(_ places: [RecordPlace]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(places.count * 12)
        for place in places {
            for shift in stride(from: 24, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: place.partition >> Int32(shift)))
            }
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: place.offset >> Int64(shift)))
            }
        }
        return bytes
    }

    /// Nil when the bytes are no list of places.
    static func decode(_ bytes: [UInt8]) -> [RecordPlace]? {
        guard bytes.count % 12 == 0 else { return nil }
        return stride(from: 0, to: bytes.count, by: 12).map { start in
            let partition = bytes[start..<start + 4].reduce(Int32(0)) { $0 << 8 | Int32($1) }
            let offset = bytes[start + 4..<start + 12].reduce(Int64(0)) { $0 << 8 | Int64($1) }
            return RecordPlace(partition: partition, offset: offset)
        }
    }
}

extension EventID {
    /// 16 bytes, big-endian.
    var storedBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        for word in [high, low] {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        return bytes
    }

    init?(storedBytes bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        let words = [bytes[0..<8], bytes[8..<16]].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        self.init(high: words[0], low: words[1])
    }
}

extension Statement {
    func bind(_ index: Int32, _ id: EventID) throws(SQLiteError) {
        try bind(index, id.storedBytes)
    }

    func bind(_ index: Int32, _ value: Int64?) throws(SQLiteError) {
        if let value { try bind(index, value) } else { try bindNull(index) }
    }

    func eventID(_ column: Int32) -> EventID? { EventID(storedBytes: bytes(column)) }

    func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
}
