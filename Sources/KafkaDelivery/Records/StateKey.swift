package import EventLog
package import Events

/// What a record of the retry, dead-letter or attempts topic is about: an event at a target, or in a replay of it.
package struct StateKey: Hashable, Sendable {
    package var event: EventID
    /// The number of the replay; nil for the target's own.
    package var replay: Int64?
    /// Only where another record of the same id has the plain key: the log may hold an event twice.
    package var place: RecordPlace?

    package init(_ event: EventID, replay: Int64? = nil, place: RecordPlace? = nil) {
        self.event = event
        self.replay = replay
        self.place = place
    }

    /// `[number/]id[@partition:offset]`, the partition being the log's.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        if let replay { bytes.append(contentsOf: "\(replay)/".utf8) }
        event.append(to: &bytes)
        if let place { bytes.append(contentsOf: "@\(place)".utf8) }
        return bytes
    }

    /// Nil when the bytes are no such key.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count <= 128 else { return nil }
        var rest = Substring(String(decoding: bytes, as: UTF8.self))
        if let slash = rest.firstIndex(of: "/") {
            guard let number = Int64(rest[..<slash]) else { return nil }
            replay = number
            rest = rest[rest.index(after: slash)...]
        }
        if let at = rest.firstIndex(of: "@") {
            let parts = rest[rest.index(after: at)...].split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let partition = Int32(parts[0]), let offset = Int64(parts[1]) else { return nil }
            place = RecordPlace(partition: partition, offset: offset)
            rest = rest[..<at]
        }
        guard let id = EventID(hex: rest) else { return nil }
        event = id
    }
}

/// When a record of a target's state was written, in the order of the owner's doing: whoever takes a shard up begins a new
/// epoch, beyond all that it finds, and numbers what it writes.
package struct RecordStamp: Hashable, Sendable, Comparable {
    package var epoch: Int64
    package var number: Int64

    package init(epoch: Int64, number: Int64) {
        self.epoch = epoch
        self.number = number
    }

    /// Before every record.
    package static let none = RecordStamp(epoch: 0, number: 0)

    package static func < (one: Self, other: Self) -> Bool {
        (one.epoch, one.number) < (other.epoch, other.number)
    }
}
