internal import Events

/// What is computed of a record before it reaches the writer, on the thread that appends it.
struct RecordDigest: Sendable {
    /// The checksum without the sequence.
    let sum: UInt64
    /// Keyed hashes of the visitor id, the returning id and the e-mail; 0 where there is none.
    let people: InlineArray<3, UInt64>

    init(_ record: NewRecord, personHash: PersonHash) {
        sum = unsafe record.payload.withUnsafeBytes { payload in
            unsafe Self.sum(
                id: record.id, receivedAtMs: record.receivedAtMs, type: record.type, source: record.source,
                verifiedBy: record.verifiedBy, payload: payload)
        }
        people = [
            record.visitorID.map { personHash.hash(.visitorID($0)) } ?? 0,
            record.returningID.map { personHash.hash(.returningID($0)) } ?? 0,
            record.email.map { personHash.hash(.email($0)) } ?? 0,
        ]
    }

    /// The checksum kept with a row: a row that moved, or changed anywhere, does not match it.
    static func checksum(_ sum: UInt64, sequence: Int64) -> UInt64 {
        var hash = RecordHash(seed: sum)
        hash.add(UInt64(bitPattern: sequence))
        return hash.finish()
    }

    /// - Parameter verifiedBy: nil leaves it out, as in records that were written before it was kept.
    static func sum(
        id: EventID, receivedAtMs: Int64, type: String, source: String, verifiedBy: String? = nil,
        payload: UnsafeRawBufferPointer
    ) -> UInt64 {
        var hash = RecordHash()
        hash.add(id.high)
        hash.add(id.low)
        hash.add(UInt64(bitPattern: receivedAtMs))
        hash.add(type)
        hash.add(source)
        unsafe hash.add(payload)
        if let verifiedBy { hash.add(verifiedBy) }
        return hash.finish()
    }
}

/// Hashes what a person is found by, under a random key of the file's own, so that the index names nobody.
struct PersonHash: Sendable {
    private let key: (UInt64, UInt64)

    /// - Parameter key: 16 bytes.
    init(key: [UInt8]) {
        precondition(key.count == 16)
        self.key = (
            key[0..<8].reduce(0) { $0 << 8 | UInt64($1) }, key[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
        )
    }

    /// Never 0.
    func hash(_ person: PersonKey) -> UInt64 {
        var hash = RecordHash(seed: key.0, key.1)
        switch person {
        case .visitorID(let bytes):
            hash.add(1)
            unsafe bytes.withUnsafeBytes { unsafe hash.add($0) }
        case .returningID(let bytes):
            hash.add(2)
            unsafe bytes.withUnsafeBytes { unsafe hash.add($0) }
        case .email(let bytes):
            hash.add(3)
            let lowered = bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
            unsafe lowered.withUnsafeBytes { unsafe hash.add($0) }
        }
        return max(hash.finish(), 1)
    }
}
