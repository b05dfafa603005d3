package import EventLog
internal import JSON
package import KafkaLog

/// What an operator wants done with events, on whichever instances own their shards.
package struct CommandRecord: ControlRecord, Hashable {
    package struct Item: Sendable, Hashable {
        package var key: StateKey
        package var place: RecordPlace

        package init(key: StateKey, place: RecordPlace) {
            self.key = key
            self.place = place
        }
    }

    /// Such as `requeue`, `discard`.
    package var action: String
    package var target: String
    package var items: [Item]
    /// Who asked for it.
    package var by: String
    /// The wall clock, milliseconds.
    package var atMs: Int64
    /// Whatever else the action needs: a JSON object.
    package var arguments: [UInt8]?

    package init(
        action: String, target: String, items: [Item], by: String, atMs: Int64, arguments: [UInt8]? = nil
    ) {
        self.action = action
        self.target = target
        self.items = items
        self.by = by
        self.atMs = atMs
        self.arguments = arguments
    }

    package func encoded(_ layout: LogLayout) -> [UInt8] {
        var json = JSONWriter(reserving: 256 + items.count * 96)
        json.beginObject()
        json.member("action", action)
        json.member("target", target)
        json.key("items")
        json.beginArray()
        for item in items {
            json.beginObject()
            json.key("key")
            json.string(utf8: item.key.bytes)
            json.member("place", item.place, layout)
            json.endObject()
        }
        json.endArray()
        json.member("by", by)
        json.member("at", atMs)
        if let arguments {
            json.key("arguments")
            json.raw(arguments)
        }
        json.endObject()
        return json.bytes
    }

    package init(_ json: [UInt8], _ decoder: StateDecoder) throws(StateRecordError) {
        let fields = try decoder.fields(json)
        action = try fields.text("action")
        target = try fields.text("target")
        items = []
        if let list = fields.member("items") {
            for element in fields.tape.elements(list) {
                let item = try StateFields(fields.tape, element, fields.layout)
                guard let key = StateKey(Array(try item.text("key").utf8)) else { throw fields.missing("items") }
                items.append(Item(key: key, place: try item.place("place")))
            }
        }
        by = fields.optionalText("by") ?? ""
        atMs = fields.optionalInteger("at") ?? 0
        arguments = fields.member("arguments").map { Array(json[fields.tape.span($0)]) }
    }
}

/// What became of a command, as far as one instance could carry it out.
package struct ResultRecord: ControlRecord, Hashable {
    package var instance: String
    /// Items that were carried out.
    package var done: Int
    /// Why the others were not; nil when there are none.
    package var failure: String?
    /// The wall clock, milliseconds.
    package var atMs: Int64

    package init(instance: String, done: Int, failure: String? = nil, atMs: Int64) {
        self.instance = instance
        self.done = done
        self.failure = failure
        self.atMs = atMs
    }

    package func encoded(_ layout: LogLayout) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("instance", instance)
        json.member("done", Int64(done))
        json.optional("failure", failure)
        json.member("at", atMs)
        json.endObject()
        return json.bytes
    }

    package init(_ json: [UInt8], _ decoder: StateDecoder) throws(StateRecordError) {
        let fields = try decoder.fields(json)
        instance = try fields.text("instance")
        done = fields.count("done")
        failure = fields.optionalText("failure")
        atMs = fields.optionalInteger("at") ?? 0
    }
}
