internal import Cryptography
internal import EventLog
internal import Events

/// How an item stands in the spool: a byte for its kind, then its fields, each with its length before it. People's keys
/// are left out: the log in Kafka has no index of them.
enum SpoolCoding {
    private static let event: UInt8 = 1
    private static let quarantined: UInt8 = 2

    static func encode(_ item: LogItem) -> [UInt8] {
        var writer = FieldWriter()
        switch item {
        case .event(let record):
            writer.bytes.append(event)
            writer.add(record.id.high)
            writer.add(record.id.low)
            writer.add(record.type)
            writer.add(record.partitionKey)
            writer.add(UInt64(bitPattern: record.timeMs))
            writer.add(UInt64(bitPattern: record.receivedAtMs))
            writer.add(record.source)
            writer.add(optional: record.verifiedBy.map { Array($0.utf8) })
            writer.add(record.payload)
        case .quarantined(let element):
            writer.bytes.append(quarantined)
            writer.add(element.source)
            writer.add(UInt64(bitPattern: Int64(element.index)))
            writer.add(UInt64(bitPattern: element.receivedAtMs))
            writer.add(element.reason)
            writer.add(optional: element.bytes)
            writer.add(UInt64(bitPattern: Int64(element.size)))
            writer.add(element.sha256)
            writer.add(element.key)
        }
        return writer.bytes
    }

    /// Nil for what this did not write.
    static func decode(_ bytes: [UInt8]) -> LogItem? {
        var reader = FieldReader(bytes)
        switch reader.byte() {
        case event: return reader.event().map { .event($0) }
        case quarantined: return reader.quarantined().map { .quarantined($0) }
        default: return nil
        }
    }

    /// The first 8 bytes of the body's SHA-256, bound to its place.
    static func sum(_ body: [UInt8], sequence: Int64) -> Int64 {
        let digest = SHA256.hash(body)
        let word = digest[0..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int64(bitPattern: word &+ UInt64(bitPattern: sequence) &* 0x9E37_79B9_7F4A_7C15)
    }
}

private struct FieldWriter {
    var bytes: [UInt8] = []

    mutating func add(_ word: UInt64) {
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
        }
    }

    mutating func add(_ field: [UInt8]) {
        add(UInt64(field.count))
        bytes.append(contentsOf: field)
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    mutating func add(optional field: [UInt8]?) {
        bytes.append(field == nil ? 0 : 1)
        if let field { add(field) }
    }
}

private struct FieldReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func event() -> NewRecord? {
        guard let high = word(), let low = word(), let type = text(), let key = field(), let time = integer(),
            let received = integer(), let source = text(), let verifiedBy = optional(), let payload = field(),
            !payload.isEmpty, position == bytes.count
        else { return nil }
        return NewRecord(
            id: EventID(high: high, low: low), type: type, partitionKey: key, timeMs: time, receivedAtMs: received,
            source: source, verifiedBy: verifiedBy.map { String(decoding: $0, as: UTF8.self) }, payload: payload)
    }

    mutating func quarantined() -> QuarantinedElement? {
        guard let source = text(), let index = integer(), let received = integer(), let reason = text(),
            let kept = optional(), let size = integer(), let sha256 = text(), let key = text(),
            position == bytes.count
        else { return nil }
        return QuarantinedElement(
            source: source, index: Int(index), receivedAtMs: received, reason: reason, bytes: kept, size: Int(size),
            sha256: sha256, key: key)
    }

    mutating func byte() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func word() -> UInt64? {
        guard bytes.count - position >= 8 else { return nil }
        defer { position += 8 }
        return bytes[position..<position + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func integer() -> Int64? { word().map { Int64(bitPattern: $0) } }

    private mutating func field() -> [UInt8]? {
        guard let count = word(), count <= UInt64(bytes.count - position) else { return nil }
        defer { position += Int(count) }
        return Array(bytes[position..<position + Int(count)])
    }

    private mutating func text() -> String? { field().map { String(decoding: $0, as: UTF8.self) } }

    /// Nil when it cannot be read, `.some(nil)` when there is none.
    private mutating func optional() -> [UInt8]?? {
        switch byte() {
        case 0: return .some(nil)
        case 1: return field().map { .some($0) }
        default: return nil
        }
    }
}
