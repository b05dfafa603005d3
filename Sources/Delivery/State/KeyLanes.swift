internal import EventLog

/// What keeps the events of one key in order: for each key the event that has its turn, and those behind it.
///
/// The first few that wait keep their place in the log, in memory; once the one before them has failed, or there are too
/// many, they wait in the open set.
struct KeyLanes: Sendable {
    struct Lane: Sendable {
        /// In flight, returned, or open and waiting for another try.
        var holder: RecordPlace
        /// On their way in the holder's request, behind it.
        var joined: [RecordPlace] = []
        /// Not tried yet; all of them before `behind`.
        var parked: [TargetState.Tried] = []
        /// In the open set. May name entries that are gone.
        var behind: [RecordPlace] = []
        /// The first of `behind` that have had their turn.
        var passed = 0

        var hasBehind: Bool { passed < behind.count }
    }

    /// Parked events at most, of all keys, and the memory they may take, in bytes.
    private static let maximumParked = 256
    private static let maximumParkedBytes = 1 << 20

    private var lanes: [UInt64: Lane] = [:]
    private(set) var parkedCount = 0
    private var parkedBytes = 0

    var isFull: Bool { parkedCount >= Self.maximumParked || parkedBytes >= Self.maximumParkedBytes }

    var parked: [TargetState.Tried] { parkedCount == 0 ? [] : lanes.values.flatMap(\.parked) }

    subscript(key: UInt64) -> Lane? { lanes[key] }

    /// Whether no event of the key is unfinished.
    func isFree(_ key: UInt64?) -> Bool { key.map { lanes[$0] == nil } ?? true }

    /// Whether the event has its turn. One without a key always has.
    /// - Returns: false when another event of the key is before it.
    mutating func enter(_ key: UInt64?, _ place: RecordPlace) -> Bool {
        guard let key else { return true }
        guard let lane = lanes[key] else {
            lanes[key] = Lane(holder: place)
            return true
        }
        return lane.holder == place
    }

    // MARK: events of one request

    /// Whether another event of the key may go in the holder's request: none waits before it.
    func mayJoin(_ key: UInt64) -> Bool { lanes[key].map { $0.parked.isEmpty && !$0.hasBehind } ?? false }

    mutating func join(_ place: RecordPlace, _ key: UInt64) { lanes[key]?.joined.append(place) }

    func isJoined(_ place: RecordPlace, _ key: UInt64) -> Bool { lanes[key]?.joined.contains(place) ?? false }

    /// The request has not taken an event that joined it: it waits in memory for its turn.
    mutating func parkJoined(_ tried: TargetState.Tried, _ key: UInt64) {
        guard var lane = lanes[key] else { return }
        lanes[key] = nil
        lane.joined.removeAll { $0 == tried.event.place }
        let index = lane.parked.firstIndex { TargetState.isBefore(tried.event.place, $0.event.place) }
        lane.parked.insert(tried, at: index ?? lane.parked.endIndex)
        lanes[key] = lane
        parkedCount += 1
        parkedBytes += tried.event.footprint
    }

    /// As `parkJoined`, in the open set: before those that came later.
    mutating func lineJoined(_ place: RecordPlace, _ key: UInt64) {
        guard var lane = lanes[key] else { return }
        lanes[key] = nil
        lane.joined.removeAll { $0 == place }
        let index = lane.behind[lane.passed...].firstIndex { TargetState.isBefore(place, $0) }
        lane.behind.insert(place, at: index ?? lane.behind.endIndex)
        lanes[key] = lane
    }

    // MARK: waiting

    mutating func park(_ tried: TargetState.Tried, _ key: UInt64) {
        lanes[key]?.parked.append(tried)
        parkedCount += 1
        parkedBytes += tried.event.footprint
    }

    mutating func line(_ place: RecordPlace, behind key: UInt64) {
        lanes[key]?.behind.append(place)
    }

    /// Before all others that wait in the open set.
    mutating func line(first places: [RecordPlace], behind key: UInt64) {
        guard let lane = lanes[key] else { return }
        lanes[key]?.behind.insert(contentsOf: places, at: lane.passed)
    }

    /// Everything parked behind an event, to wait in the open set instead.
    mutating func takeParked(_ key: UInt64) -> [TargetState.Tried] {
        guard let parked = lanes[key]?.parked, !parked.isEmpty else { return [] }
        lanes[key]?.parked = []
        forget(parked)
        return parked
    }

    /// Takes out of `parked` what `isMeant`.
    mutating func removeParked(where isMeant: (TargetState.Tried) -> Bool) -> [TargetState.Tried] {
        var removed: [TargetState.Tried] = []
        for (key, lane) in lanes where lane.parked.contains(where: isMeant) {
            removed += lane.parked.filter(isMeant)
            lanes[key]?.parked.removeAll(where: isMeant)
        }
        forget(removed)
        return removed
    }

    private mutating func forget(_ parked: [TargetState.Tried]) {
        parkedCount -= parked.count
        parkedBytes -= parked.reduce(0) { $0 + $1.event.footprint }
    }

    enum Next {
        case parked(TargetState.Tried)
        case open(RecordPlace)
    }

    /// The event is finished.
    /// - Parameter isThere: whether an open event still is.
    /// - Returns: the one whose turn it is now; nil when there is none, or it was not this event's turn.
    mutating func leave(_ key: UInt64?, _ place: RecordPlace, isThere: (RecordPlace) -> Bool) -> Next? {
        guard let key, let index = lanes.index(forKey: key) else { return nil }
        guard lanes.values[index].holder == place else {
            lanes.values[index].joined.removeAll { $0 == place }
            return nil
        }
        // What went with it is next, and on its way already.
        if !lanes.values[index].joined.isEmpty {
            lanes.values[index].holder = lanes.values[index].joined.removeFirst()
            return nil
        }
        if !lanes.values[index].parked.isEmpty {
            let next = lanes.values[index].parked.removeFirst()
            forget([next])
            lanes.values[index].holder = next.event.place
            return .parked(next)
        }
        while lanes.values[index].passed < lanes.values[index].behind.count {
            let next = lanes.values[index].behind[lanes.values[index].passed]
            lanes.values[index].passed += 1
            guard isThere(next) else { continue }
            if lanes.values[index].passed >= 256 {
                lanes.values[index].behind.removeFirst(lanes.values[index].passed)
                lanes.values[index].passed = 0
            }
            lanes.values[index].holder = next
            return .open(next)
        }
        lanes.remove(at: index)
        return nil
    }

    mutating func removeAll() {
        lanes.removeAll()
        parkedCount = 0
        parkedBytes = 0
    }
}

/// The order's key of an event: a hash of its partition key that is the same in every run. Two keys of one hash are only
/// kept in order with each other too.
package enum OrderKey {
    /// FNV-1a; nil for an event without a key.
    package static func hash(_ key: [UInt8]) -> UInt64? {
        if key.isEmpty { return nil }
        return key.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
