internal import EventLog

/// `order: key`: at most one event of a key is on its way, and those behind it wait for how it ends.
extension TargetState {
    static let waitsForKey = "waits_for_key"

    /// Events of keys whose order is not known yet are not sent.
    var isOrderKnown: Bool { !needsLanes }

    func key(of tried: Tried) -> UInt64? { policy.ordersByKey ? tried.event.orderKey : nil }

    /// Puts an event of the log that has not its turn behind the others of its key.
    /// - Returns: false when there is no room: then it has to wait in the log, and everything behind it as well.
    mutating func standBehind(_ tried: Tried, _ key: UInt64, _ now: Moment) -> Bool {
        guard let lane = lanes[key] else { return false }
        let hasFailed = open[lane.holder] != nil
        if !hasFailed, !lane.hasBehind, !lanes.isFull {
            lanes.park(tried, key)
            return true
        }
        // A key that is merely busy must not fill the set of those that failed. Behind one that failed they take the room
        // above it too, slowly: as long as events of other keys get by, that one is found out.
        guard open.failedCount < (hasFailed ? policy.openLimit : policy.openSize / 2) else { return false }
        openBehind(tried, key, now)
        lanes.line(tried.event.place, behind: key)
        if hasFailed { holdFresh(now) }
        return true
    }

    /// An event that failed has gone to the open set: those parked behind it follow.
    mutating func followIntoOpenSet(_ key: UInt64, _ now: Moment) {
        let parked = lanes.takeParked(key)
        for tried in parked { openBehind(tried, key, now) }
        if policy.joinsKeys {
            for tried in parked { lanes.lineJoined(tried.event.place, key) }
        } else {
            lanes.line(first: parked.map(\.event.place), behind: key)
        }
    }

    private mutating func openBehind(_ tried: Tried, _ key: UInt64, _ now: Moment) {
        let event = tried.event
        let entry = OpenEntry(
            place: event.place, id: event.id, type: event.type, source: event.source,
            receivedAtMs: event.receivedAtMs, routes: tried.routes, tries: tried.tries, counted: 0,
            firstTried: tried.firstTried ?? now,
            dueMs: now.monotonicMs, reason: Self.waitsForKey, size: event.payload.count, key: key, waitsForKey: true)
        open.put(entry)
        add(.open(entry, payload: event.payload, nextAtMs: now.wallMs))
        recordWaiting(tried, now)
    }

    /// The event is finished: the next of its key has its turn.
    mutating func leaveLane(_ key: UInt64?, _ place: RecordPlace) {
        guard policy.ordersByKey else { return }
        switch lanes.leave(key, place, isThere: { open[$0] != nil }) {
        case .parked(let tried): returned.append(tried)
        case .open(let place):
            guard var entry = open[place] else { return }
            entry.waitsForKey = false
            open.put(entry)
        case nil: break
        }
    }

    // MARK: events of one request

    /// Further events of the key may go in the request that is being put together.
    mutating func letJoin(_ key: UInt64?) {
        guard policy.joinsKeys, let key else { return }
        if joinable.request != lastRequest { joinable = (lastRequest, []) }
        joinable.keys.insert(key)
    }

    func mayJoin(_ key: UInt64?) -> Bool {
        guard policy.joinsKeys, let key, joinable.request == lastRequest else { return false }
        return joinable.keys.contains(key) && lanes.mayJoin(key)
    }

    /// One that is to be tried again goes back to its turn: what joined another's request waits behind that.
    /// - Returns: whether it waits there.
    mutating func waitsBehindRequest(_ tried: Tried, _ now: Moment) -> Bool {
        guard let key = key(of: tried), lanes.isJoined(tried.event.place, key) else { return false }
        if lanes[key]?.hasBehind ?? false {
            // Another that had joined may be in the open set, and those go after all that are parked.
            openBehind(tried, key, now)
            lanes.lineJoined(tried.event.place, key)
        } else {
            lanes.parkJoined(tried, key)
        }
        return true
    }

    // MARK: changes

    /// Makes out the order of everything that is not finished: by place, but what is on its way is first.
    mutating func buildLanes(_ now: Moment) {
        guard needsLanes, holesToLoad.isEmpty, !awaitsBroken || inFlightCount == 0 else { return }
        needsLanes = false
        awaitsBroken = false
        dissolveLanes()
        for slot in slots {
            switch slot.content {
            case .free, .abandoned: break
            case .window(let tried): _ = lanes.enter(tried.event.orderKey, tried.event.place)
            case .open(let place): _ = lanes.enter(open[place]?.key, place)
            }
        }
        let candidates = Dictionary(returned.map { ($0.event.place, $0) }) { first, _ in first }
        returned = []
        let waiting = open.entries.values.lazy.filter { !$0.isInFlight && !$0.isSent }.map(\.place)
        for place in (Array(candidates.keys) + waiting).sorted(by: Self.isBefore) {
            if let tried = candidates[place] { lineUp(tried, now) } else { lineUp(place) }
        }
    }

    private mutating func lineUp(_ tried: Tried, _ now: Moment) {
        guard let key = tried.event.orderKey, !lanes.enter(key, tried.event.place) else {
            return returned.append(tried)
        }
        guard lanes[key]?.hasBehind ?? false else { return lanes.park(tried, key) }
        // One of the open set is before it, and those go after all that are parked.
        openBehind(tried, key, now)
        lanes.line(tried.event.place, behind: key)
    }

    private mutating func lineUp(_ place: RecordPlace) {
        guard var entry = open[place], let key = entry.key, !lanes.enter(key, place) else { return }
        lanes.line(place, behind: key)
        entry.waitsForKey = true
        open.put(entry)
    }

    mutating func dissolveLanes() {
        returned += lanes.parked.sorted { Self.isBefore($0.event.place, $1.event.place) }
        lanes.removeAll()
        for var entry in open.entries.values where entry.waitsForKey {
            entry.waitsForKey = false
            open.put(entry)
        }
    }

    static func isBefore(_ one: RecordPlace, _ other: RecordPlace) -> Bool {
        (one.partition, one.offset) < (other.partition, other.offset)
    }
}
