internal import Events

/// The ids of a run of records of one partition, with their times.
struct RepeatTable {
    /// The first offset that was looked at.
    private(set) var begin: Int64
    /// Beyond the last.
    private(set) var end: Int64
    /// Every record before `begin`, or dropped since, was received before. `Int64.min`: earlier ones are not asked for.
    private(set) var coveredSinceMs: Int64

    private var ids: [EventID] = []
    private var times: [Int64] = []
    /// The oldest that is held; those before it were dropped.
    private var first = 0
    private var newestMs = Int64.min
    /// Of each id the place in `ids`, plus one; open addressing, at least half of it empty.
    private var slots: [UInt32]
    // Senders choose what ids are made of: without a key they could choose where these collide.
    private let key = UInt64.random(in: .min ... .max) | 1

    private static let smallestSlots = 64
    /// So few are held however old they are.
    private static let keptAnyway = 4096
    private static let clockStepMs: Int64 = 600_000

    init(begin: Int64, coveredSinceMs: Int64) {
        self.begin = begin
        end = begin
        self.coveredSinceMs = coveredSinceMs
        slots = Array(repeating: 0, count: Self.smallestSlots)
    }

    var count: Int { ids.count - first }

    /// When the id's youngest record was received; nil when it is not among these.
    func newestTime(of id: EventID) -> Int64? {
        var newest: Int64?
        var slot = slot(id)
        while slots[slot] != 0 {
            let place = Int(slots[slot]) - 1
            if place >= first, ids[place] == id { newest = max(newest ?? .min, times[place]) }
            slot = (slot + 1) & (slots.count - 1)
        }
        return newest
    }

    /// Takes in what comes next, or only moves on where it has no id.
    mutating func append(_ id: EventID?, atMs: Int64, at offset: Int64, windowMs: Int64, limit: Int) {
        end = offset + 1
        guard let id else { return }
        newestMs = max(newestMs, atMs)
        while count > Self.keptAnyway, times[first] < newestMs - windowMs - Self.clockStepMs { dropFirst() }
        if count >= limit { truncate(to: limit - 1) }
        if (ids.count + 1) * 2 > slots.count { rebuild() }
        ids.append(id)
        times.append(atMs)
        insert(ids.count - 1)
    }

    /// Moves on over offsets that have no record.
    mutating func skip(to offset: Int64) {
        end = max(end, offset)
    }

    /// Forgets the oldest for want of room; they are not asked for again.
    mutating func truncate(to limit: Int) {
        while count > max(limit, 0) { first += 1 }
        coveredSinceMs = .min
    }

    private mutating func dropFirst() {
        if coveredSinceMs != .min { coveredSinceMs = max(coveredSinceMs, times[first] + 1) }
        first += 1
    }

    /// Lets go of what was dropped, and has room for as many again.
    private mutating func rebuild() {
        ids.removeFirst(first)
        times.removeFirst(first)
        first = 0
        var size = Self.smallestSlots
        while size < (ids.count + 1) * 4 { size *= 2 }
        slots = Array(repeating: 0, count: size)
        for place in ids.indices { insert(place) }
    }

    private mutating func insert(_ place: Int) {
        var slot = slot(ids[place])
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = UInt32(place + 1)
    }

    private func slot(_ id: EventID) -> Int {
        let mixed = (id.high ^ key).multipliedFullWidth(by: (id.low &* key) | 1)
        return Int(truncatingIfNeeded: mixed.high ^ mixed.low) & (slots.count - 1)
    }
}
