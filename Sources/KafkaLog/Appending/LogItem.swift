internal import EventLog
internal import Events

/// What is published, or kept in the spool: an event, or an element that could not be decoded.
enum LogItem: Sendable {
    case event(NewRecord)
    case quarantined(QuarantinedElement)

    /// The same item that comes again has the same id.
    var id: EventID {
        switch self {
        case .event(let record): record.id
        case .quarantined(let element): EventID(keySpace: "quarantine", dedupeKey: Array(element.key.utf8))
        }
    }

    var source: String {
        switch self {
        case .event(let record): record.source
        case .quarantined(let element): element.source
        }
    }

    var receivedAtMs: Int64 {
        switch self {
        case .event(let record): record.receivedAtMs
        case .quarantined(let element): element.receivedAtMs
        }
    }

    /// What it takes in memory and in the spool, about.
    var byteCount: Int {
        switch self {
        case .event(let record): record.payload.count + record.partitionKey.count + record.source.utf8.count + 128
        case .quarantined(let element): (element.bytes?.count ?? 0) + element.reason.utf8.count + 256
        }
    }

    var isQuarantined: Bool {
        if case .quarantined = self { true } else { false }
    }
}

/// Lanes are what keeps its order: one for each partition of the log, and one for what is quarantined.
struct Lanes: Sendable, Hashable {
    let layout: LogLayout

    var count: Int { layout.count + 1 }
    var quarantine: Int { layout.count }

    /// Nil for an event whose type is none of this version's.
    func lane(of item: LogItem) -> Int? {
        switch item {
        case .event(let record):
            CanonicalType(rawValue: record.type).map { Int(layout.index($0, key: record.partitionKey)) }
        case .quarantined: quarantine
        }
    }

    /// Nil for the quarantine's.
    func type(of lane: Int) -> CanonicalType? { lane < layout.count ? layout.type(of: Int32(lane)) : nil }

    /// Whether a lane is of what senders wait for: decisions go before everything else.
    func isUrgent(_ lane: Int) -> Bool { type(of: lane) == .visitorSigninRequested }

    /// What lanes mean, as text: it changes when the number of an item's lane may.
    var meaning: String {
        "\(layout.partitions):" + CanonicalType.allCases.map(\.rawValue).joined(separator: ",")
    }
}
