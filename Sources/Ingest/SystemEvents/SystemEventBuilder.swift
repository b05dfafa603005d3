internal import EventLog
internal import Events
internal import JSON
internal import Vendors

/// Makes an incident a record of the log, by the way a sender's payload goes.
struct SystemEventBuilder {
    private let parser = JSONParser()
    private let source: SourceConfiguration
    private let run: UInt64
    private var count: UInt64 = 0
    private var draft = EventDraft()

    /// - Parameter run: tells this run of the program from others.
    init(run: UInt64) {
        self.run = run
        source = SourceConfiguration(
            name: Vendors.own.name, vendor: Vendors.own, authentication: SourceAuthentication(), maximumBody: 0,
            settings: DecodeSettings(source: Vendors.own.name))
    }

    mutating func record(_ incident: Incident, at time: Timestamp) -> NewRecord? {
        guard let tape = try? parser.parse(payload(incident, at: time)) else { return nil }
        let event = source.encode(
            tape, tape.root, query: nil, receivedAt: time, sites: SiteDirectory(), draft: &draft)
        return NewRecord(
            id: event.id, type: event.type.rawValue, partitionKey: event.partitionKey,
            timeMs: event.time.milliseconds, receivedAtMs: event.receivedAt.milliseconds, source: source.name,
            payload: event.payload)
    }

    private mutating func payload(_ incident: Incident, at time: Timestamp) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("event")
        writer.string(incident.type.rawValue)
        writer.key("time")
        writer.string(time.text)
        let members: [(StaticString, String?)] = [
            ("target", incident.target), ("source", incident.source), ("team", incident.team),
            ("reason", incident.reason),
        ]
        for (name, value) in members {
            guard let value else { continue }
            writer.key(name)
            writer.string(value)
        }
        writer.key("count")
        writer.integer(incident.count)
        writer.key("key")
        writer.string(key(incident))
        writer.endObject()
        return writer.bytes
    }

    /// The dedupe key: the same occurrence is the same event.
    private mutating func key(_ incident: Incident) -> String {
        let parts = [incident.type.rawValue, incident.target ?? "", incident.source ?? "", incident.team ?? ""]
        guard let occurrence = incident.occurrence else {
            count += 1
            return (parts + ["\(run)", "\(count)"]).joined(separator: "\n")
        }
        return (parts + [occurrence]).joined(separator: "\n")
    }
}
