internal import EventLog
internal import Events

/// The newest ids, with the places of their records where they are known. Two tables take turns: the older one is let go
/// when the younger is full, or when all in it is older than the window.
struct RecentPlaces: Sendable {
    private let capacity: Int
    private let windowNanoseconds: Int64
    private var young = PlaceTable()
    private var old = PlaceTable()
    private var youngBegan: Int64 = 0
    private var oldEnded: Int64 = 0

    /// - Parameters:
    ///   - capacity: ids kept at most, twice what is kept at least.
    ///   - windowNanoseconds: an id older than this is forgotten, at latest after as long again.
    init(capacity: Int = 1_000_000, windowNanoseconds: Int64) {
        self.capacity = capacity / 2
        self.windowNanoseconds = max(1, windowNanoseconds)
    }

    var count: Int { young.count + old.count }

    /// Adds an id, or the place of one that is here.
    mutating func add(_ id: EventID, place: RecordPlace?, now: Int64) {
        turn(now)
        if old.update(id, place) { return }
        if young.count == 0 { youngBegan = now }
        young.insert(id, place)
    }

    func contains(_ id: EventID, now: Int64) -> Bool {
        young.contains(id) && now - youngBegan <= 2 * windowNanoseconds
            || old.contains(id) && now - oldEnded <= windowNanoseconds
    }

    /// Nil for an unknown id, and for one without a place.
    func place(of id: EventID) -> RecordPlace? { young.place(of: id) ?? old.place(of: id) }

    private mutating func turn(_ now: Int64) {
        if old.count > 0, now - oldEnded > windowNanoseconds { old = PlaceTable() }
        guard young.count > 0, young.count >= capacity || now - youngBegan > windowNanoseconds else { return }
        old = young
        oldEnded = now
        young = PlaceTable()
    }
}

/// A hash table of ids: open addressing, 24 bytes a slot. Nothing is removed from it.
private struct PlaceTable: Sendable {
    private struct Slot {
        var high: UInt64 = 0
        var low: UInt64 = 0
        /// 0 is free, 1 without a place; else the partition in the upper 16 bits, and the offset counted from 2.
        var place: UInt64 = 0
    }

    private var slots: [Slot] = []
    private(set) var count = 0
    // Senders choose what ids are made of: without a key they could choose where these collide.
    private let key = UInt64.random(in: .min ... .max) | 1

    mutating func insert(_ id: EventID, _ place: RecordPlace?) {
        if count * 4 >= slots.count * 3 { grow() }
        let index = find(id)
        if slots[index].place == 0 {
            count += 1
            slots[index] = Slot(high: id.high, low: id.low, place: Self.pack(place))
        } else if place != nil {
            slots[index].place = Self.pack(place)
        }
    }

    /// - Returns: false when the id is not here.
    mutating func update(_ id: EventID, _ place: RecordPlace?) -> Bool {
        guard contains(id) else { return false }
        if place != nil { slots[find(id)].place = Self.pack(place) }
        return true
    }

    func contains(_ id: EventID) -> Bool { !slots.isEmpty && slots[find(id)].place != 0 }

    func place(of id: EventID) -> RecordPlace? {
        guard !slots.isEmpty else { return nil }
        let packed = slots[find(id)].place
        guard packed >= 2 else { return nil }
        return RecordPlace(partition: Int32(packed >> 48), offset: Int64(packed & 0xFFFF_FFFF_FFFF) - 2)
    }

    private static func pack(_ place: RecordPlace?) -> UInt64 {
        guard let place, place.offset >= 0, place.partition < 1 << 16 else { return 1 }
        return UInt64(place.partition) << 48 | UInt64(place.offset + 2)
    }

    /// The id's slot, or the free one it would take.
    private func find(_ id: EventID) -> Int {
        let mixed = (id.high ^ key).multipliedFullWidth(by: (id.low &* key) | 1)
        var index = Int((mixed.high ^ mixed.low).multipliedFullWidth(by: UInt64(slots.count)).high)
        while slots[index].place != 0, slots[index].high != id.high || slots[index].low != id.low {
            index = index + 1 == slots.count ? 0 : index + 1
        }
        return index
    }

    private mutating func grow() {
        let former = slots
        slots = [Slot](repeating: Slot(), count: max(64, former.count * 2))
        for slot in former where slot.place != 0 {
            slots[find(EventID(high: slot.high, low: slot.low))] = slot
        }
    }
}
