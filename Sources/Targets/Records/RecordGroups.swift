import Events

/// Which events of a request are of one record, so that the receiver is told of each record once.
struct RecordGroups: Sendable {
    /// Places of events in the request, by record, in the order of the records' first events.
    private let groups: [[Int]]
    private let count: Int

    /// - Parameter key: nil: every event is a record of its own. So is one without a key.
    init(_ events: [OutgoingEvent], by key: RecordKey?) {
        count = events.count
        guard let key, events.count > 1 else {
            groups = events.indices.map { [$0] }
            return
        }
        var groups: [[Int]] = []
        var groupOfKey: [[UInt8]: Int] = [:]
        for (place, outgoing) in events.enumerated() {
            let text = key.text(of: outgoing.event)
            if let text, let group = groupOfKey[text] {
                groups[group].append(place)
            } else {
                if let text { groupOfKey[text] = groups.count }
                groups.append([place])
            }
        }
        self.groups = groups
    }

    /// One event a record: its last, which tells of the record what the newest knows.
    func newest(_ events: [OutgoingEvent]) -> [OutgoingEvent] {
        groups.count == count ? events : groups.map { events[$0[$0.count - 1]] }
    }

    /// One body a record.
    /// - Parameters:
    ///   - bodies: JSON texts, one an event.
    ///   - certain: by an event's place, its body without defaults, which say nothing of anybody; nil where there are none.
    func merged(_ bodies: [[UInt8]], certain: ((Int) -> [UInt8])? = nil) -> [[UInt8]] {
        guard groups.count != count else { return bodies }
        return groups.map { places in
            guard places.count > 1 else { return bodies[places[0]] }
            // A default is what is said when no event has anything to say: what one had goes over it.
            return RecordMerge.merge(places.map { bodies[$0] } + (certain.map { places.map($0) } ?? []))
        }
    }

    /// What became of each event: what became of its record.
    /// - Parameter outcome: of the records.
    func spread(_ outcome: BatchOutcome) -> BatchOutcome {
        guard case .each(let outcomes) = outcome, outcomes.count == groups.count, groups.count != count else {
            return outcome
        }
        var spread: [DeliveryOutcome?] = Array(repeating: nil, count: count)
        for (group, outcome) in zip(groups, outcomes) {
            for place in group { spread[place] = outcome }
        }
        return .each(spread.compactMap(\.self))
    }
}
