internal import JSON
package import Kafka
package import KafkaLog

/// A value of the control topic: one JSON object.
package protocol ControlRecord: Sendable {
    func encoded(_ layout: LogLayout) -> [UInt8]
    init(_ json: [UInt8], _ decoder: StateDecoder) throws(StateRecordError)
}

/// A target as all instances know it.
package struct TargetRecord: ControlRecord, Hashable {
    package var type: String
    /// For people; no secret.
    package var destination: String
    /// Switched off by an operator.
    package var isPaused: Bool
    /// Switched off because of what the target answered: the failure's code.
    package var disabledReason: String?
    /// In no configuration any more.
    package var isRemoved: Bool
    /// The run of the instance that wrote it.
    package var writer: String
    /// The wall clock, milliseconds.
    package var atMs: Int64

    package init(
        type: String, destination: String, isPaused: Bool = false, disabledReason: String? = nil,
        isRemoved: Bool = false, writer: String, atMs: Int64
    ) {
        self.type = type
        self.destination = destination
        self.isPaused = isPaused
        self.disabledReason = disabledReason
        self.isRemoved = isRemoved
        self.writer = writer
        self.atMs = atMs
    }

    package func encoded(_ layout: LogLayout) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("type", type)
        json.member("destination", destination)
        json.key("paused")
        json.bool(isPaused)
        json.optional("disabled", disabledReason)
        json.key("removed")
        json.bool(isRemoved)
        json.member("writer", writer)
        json.member("at", atMs)
        json.endObject()
        return json.bytes
    }

    package init(_ json: [UInt8], _ decoder: StateDecoder) throws(StateRecordError) {
        let fields = try decoder.fields(json)
        type = try fields.text("type")
        destination = fields.optionalText("destination") ?? ""
        isPaused = fields.bool("paused")
        disabledReason = fields.optionalText("disabled")
        isRemoved = fields.bool("removed")
        writer = fields.optionalText("writer") ?? ""
        atMs = fields.optionalInteger("at") ?? 0
    }
}

/// The commits of one shard of a target.
package struct CursorBackup: ControlRecord, Hashable {
    /// The wall clock, milliseconds.
    package var atMs: Int64
    package var commits: [TopicPartition: KafkaCommit]

    package init(atMs: Int64, commits: [TopicPartition: KafkaCommit]) {
        self.atMs = atMs
        self.commits = commits
    }

    package func encoded(_ layout: LogLayout) -> [UInt8] {
        var json = JSONWriter(reserving: 256 + commits.count * 256)
        json.beginObject()
        json.member("at", atMs)
        json.key("commits")
        json.beginArray()
        let order = commits.sorted { ($0.key.topic, $0.key.partition) < ($1.key.topic, $1.key.partition) }
        for (place, commit) in order {
            json.beginArray()
            json.string(place.topic)
            json.integer(Int64(place.partition))
            json.integer(commit.offset)
            json.string(commit.metadata ?? "")
            json.endArray()
        }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    package init(_ json: [UInt8], _ decoder: StateDecoder) throws(StateRecordError) {
        let fields = try decoder.fields(json)
        atMs = fields.optionalInteger("at") ?? 0
        commits = [:]
        guard let list = fields.member("commits") else { throw fields.missing("commits") }
        let tape = fields.tape
        for element in tape.elements(list) {
            let parts = Array(tape.elements(element))
            guard parts.count == 4, let topic = tape.text(parts[0]),
                let partition = tape.integer(parts[1]).flatMap({ Int32(exactly: $0) }),
                let offset = tape.integer(parts[2]), offset >= 0, let metadata = tape.text(parts[3])
            else { throw fields.missing("commits") }
            commits[TopicPartition(topic: topic, partition: partition)] = KafkaCommit(
                offset: offset, metadata: metadata)
        }
    }
}

/// An instance that takes part, as of the last time it said so.
package struct InstanceRecord: ControlRecord, Hashable {
    package var startedAtMs: Int64
    /// The wall clock, milliseconds.
    package var atMs: Int64
    /// Of the program.
    package var version: String
    /// Events in its spool.
    package var spooled: Int64
    /// It has ended in good order.
    package var hasEnded: Bool
    /// Repeats its intake has recognised, and elements it has put into quarantine, in all runs of the instance of this name.
    package var duplicates: Int64 = 0
    package var quarantined: Int64 = 0
    /// The targets it is configured with.
    package var targets: [String] = []

    package init(startedAtMs: Int64, atMs: Int64, version: String, spooled: Int64, hasEnded: Bool = false) {
        self.startedAtMs = startedAtMs
        self.atMs = atMs
        self.version = version
        self.spooled = spooled
        self.hasEnded = hasEnded
    }

    package func encoded(_ layout: LogLayout) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("started_at", startedAtMs)
        json.member("at", atMs)
        json.member("version", version)
        json.member("spooled", spooled)
        json.key("ended")
        json.bool(hasEnded)
        json.member("duplicates", duplicates)
        json.member("quarantined", quarantined)
        json.member("targets", targets)
        json.endObject()
        return json.bytes
    }

    package init(_ json: [UInt8], _ decoder: StateDecoder) throws(StateRecordError) {
        let fields = try decoder.fields(json)
        startedAtMs = fields.optionalInteger("started_at") ?? 0
        atMs = try fields.integer("at")
        version = fields.optionalText("version") ?? ""
        spooled = fields.optionalInteger("spooled") ?? 0
        hasEnded = fields.bool("ended")
        duplicates = fields.optionalInteger("duplicates") ?? 0
        quarantined = fields.optionalInteger("quarantined") ?? 0
        targets = fields.texts("targets")
    }
}
