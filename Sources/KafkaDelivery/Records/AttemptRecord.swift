internal import Cryptography
package import Delivery
package import EventLog
internal import Events
internal import JSON
package import Kafka
package import KafkaLog
package import Targets

/// A record of the attempts topic: what is known of one event at one target after something happened to it. The key is the
/// event's id, the value JSON.
package struct AttemptRecord: Sendable {
    /// What was sent and what came back.
    package struct Request: Sendable, Hashable {
        /// SHA-256 of what was rendered.
        package var digest: [UInt8]
        /// The size of what was rendered.
        package var size: Int
        package var signedAtSeconds: Int64?
        /// The hash of the configuration; its text is in the control topic.
        package var version: String?
        /// Its header lines hold `***` in the place of what may authenticate somebody.
        package var answer: Answer?
        /// The beginning of what was rendered, of a request that failed.
        package var request: [UInt8]?
        /// In the order they were sent, where there were several.
        package var members: [RecordPlace]?
    }

    /// Its route set is of no store; it has neither exchange nor batch: `request` and `batch` say what they would.
    package var entry: HistoryEntry
    package var target: String
    /// The number of the replay; nil for the target's own.
    package var replay: Int64?
    /// The instance that did it.
    package var instance: String
    /// Several records of one batch name it; the first of them that was written has its request.
    package var batch: String?
    package var request: Request?

    package init(
        _ entry: HistoryEntry, target: String, replay: Int64?, instance: String, batch: String? = nil,
        request: Request?
    ) {
        self.entry = entry
        self.target = target
        self.replay = replay
        self.instance = instance
        self.batch = batch
        self.request = request
    }

    package var key: StateKey { StateKey(entry.id) }

    package func encoded(topic: String, _ layout: LogLayout) -> KafkaRecord {
        var json = JSONWriter(reserving: 512)
        json.beginObject()
        json.member("target", target)
        json.optional("replay", replay)
        json.member("instance", instance)
        json.member("place", entry.place, layout)
        json.member("type", entry.type)
        json.member("source", entry.source)
        json.member("received_at", entry.receivedAtMs)
        json.member("state", entry.state.name)
        json.member("attempts", Int64(entry.attempts))
        json.member("at", entry.atMs)
        json.optional("status", entry.status.map(Int64.init))
        json.optional("reason", entry.reason)
        json.member("duration_ms", entry.durationMs)
        json.optional("next_at", entry.nextAtMs)
        json.member("routes", entry.routes.names)
        if !entry.isAttempt {
            json.key("is_attempt")
            json.bool(false)
        }
        json.optional("batch", batch)
        if let request {
            json.key("request")
            request.write(to: &json, layout)
        }
        json.endObject()
        var record = KafkaRecord(topic: topic, key: key.bytes, headers: [], value: json.bytes)
        record.timestampMs = entry.atMs
        return record
    }
}

extension AttemptRecord.Request {
    package init(_ exchange: Exchange, members: [RecordPlace]? = nil) {
        digest = exchange.digest
        size = exchange.size
        signedAtSeconds = exchange.signedAtSeconds
        version = exchange.version?.hash
        answer = exchange.answer.map {
            Answer(headerLines: $0.maskedHeaderLines, body: $0.body, isCut: $0.isCut)
        }
        request = exchange.request
        self.members = members
    }

    /// - Parameter version: the configuration of its hash, where it is known.
    package func exchange(_ version: TargetVersion?) -> Exchange {
        Exchange(
            digest: digest, size: size, version: version, signedAtSeconds: signedAtSeconds, answer: answer,
            request: request)
    }

    /// Without what takes much room.
    var bare: Self {
        var bare = self
        bare.answer = answer.map { Answer(headerLines: $0.headerLines, body: [], isCut: true) }
        bare.request = nil
        return bare
    }

    fileprivate func write(to json: inout JSONWriter, _ layout: LogLayout) {
        json.beginObject()
        json.member("digest", Hex.encode(digest))
        json.member("size", Int64(size))
        json.optional("signed_at", signedAtSeconds)
        json.optional("version", version)
        if let answer {
            json.key("answer")
            json.beginObject()
            json.member("header", bytes: answer.headerLines)
            json.member("body", bytes: answer.body)
            if answer.isCut {
                json.key("cut")
                json.bool(true)
            }
            json.endObject()
        }
        json.member("sent", bytes: request)
        if let members {
            json.key("members")
            json.beginArray()
            for member in members { json.value(member, layout) }
            json.endArray()
        }
        json.endObject()
    }

    fileprivate init(_ fields: StateFields) throws(StateRecordError) {
        guard let digest = Hex.decode(try fields.text("digest")), digest.count == 32 else {
            throw fields.missing("digest")
        }
        self.digest = digest
        size = Int(clamping: try fields.integer("size"))
        signedAtSeconds = fields.optionalInteger("signed_at")
        version = fields.optionalText("version")
        if let answer = try fields.object("answer") {
            self.answer = Answer(
                headerLines: try answer.bytes("header") ?? [], body: try answer.bytes("body") ?? [],
                isCut: answer.bool("cut"))
        }
        request = try fields.bytes("sent")
        if fields.member("members") != nil { members = try fields.places("members") }
    }
}

extension StateDecoder {
    package func attempt(_ message: KafkaMessage) throws(StateRecordError) -> AttemptRecord {
        let key = try key(message)
        guard let value = message.value else { throw StateRecordError("it has no value") }
        let fields = try fields(value)
        guard let state = DeliveryState(name: try fields.text("state")) else { throw fields.missing("state") }
        let entry = HistoryEntry(
            keptAt: try fields.place("place"), id: key.event, type: try fields.text("type"),
            source: try fields.text("source"), receivedAtMs: try fields.integer("received_at"), state: state,
            attempts: fields.count("attempts"), atMs: try fields.integer("at"),
            status: fields.optionalInteger("status").flatMap { Int(exactly: $0) },
            reason: fields.optionalText("reason"), durationMs: fields.optionalInteger("duration_ms") ?? 0,
            nextAtMs: fields.optionalInteger("next_at"), routes: RouteSet(id: 0, names: fields.texts("routes")),
            isAttempt: fields.member("is_attempt").flatMap { fields.tape.bool($0) } ?? true, exchange: nil, batch: nil)
        let request = try fields.object("request")
        return AttemptRecord(
            entry, target: try fields.text("target"), replay: fields.optionalInteger("replay"),
            instance: fields.optionalText("instance") ?? "", batch: fields.optionalText("batch"),
            request: try request.map { fields throws(StateRecordError) in try AttemptRecord.Request(fields) })
    }
}
