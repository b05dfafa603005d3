internal import EventLog
internal import Events

/// The keys of the records that one of a target's topics has now, by the event they are about.
struct KeyTable: Sendable {
    struct Owner: Sendable, Hashable {
        var replay: Int64?
        var place: RecordPlace
    }

    private var keys: [Owner: StateKey] = [:]
    private var taken: Set<StateKey> = []

    /// A record that is there.
    mutating func take(_ key: StateKey, _ place: RecordPlace) {
        keys[Owner(replay: key.replay, place: place)] = key
        taken.insert(key)
    }

    /// The key for an event. The log may hold an event twice: then the second one's key has its place in it.
    mutating func key(_ id: EventID, _ owner: Owner) -> StateKey {
        if let key = keys[owner] { return key }
        var key = StateKey(id, replay: owner.replay)
        if taken.contains(key) { key.place = owner.place }
        take(key, owner.place)
        return key
    }

    /// Nil when there is no record.
    mutating func remove(_ owner: Owner) -> StateKey? {
        guard let key = keys.removeValue(forKey: owner) else { return nil }
        taken.remove(key)
        return key
    }

    mutating func forget(replays: Bool, where belongs: (Int32) -> Bool) {
        for (owner, key) in keys where owner.replay == nil ? belongs(owner.place.partition) : replays {
            keys[owner] = nil
            taken.remove(key)
        }
    }
}
