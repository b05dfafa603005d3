internal import Delivery
internal import EventLog
internal import JSON
internal import KafkaLog

/// A decision about dead letters, as it is handed to the instances that hold them.
struct DeadLetterCommand {
    var action: DeadLetterAction
    var target: String
    var replay: Int64?
    var letters: [(key: StateKey, letter: DeadLetterPlace)]
    var by: String
    /// The wall clock, milliseconds.
    var atMs: Int64

    init(_ action: DeadLetterAction, _ rows: [DeadLetterRow], of target: String, replay: Int64?, by actor: String) {
        self.action = action
        self.target = target
        self.replay = replay
        letters = rows.map {
            (StateKey($0.event, replay: replay), DeadLetterPlace(place: $0.place, atMs: $0.atMs))
        }
        by = actor
        atMs = Moment.now().wallMs
    }

    /// Nil for a command of another kind.
    init?(_ record: CommandRecord, _ decoder: StateDecoder) {
        guard let action = DeadLetterAction(rawValue: record.action), let arguments = record.arguments,
            let fields = try? decoder.fields(arguments), let list = fields.member("dead_at")
        else { return nil }
        let times = fields.tape.elements(list).map { fields.tape.integer($0) ?? 0 }
        guard times.count == record.items.count else { return nil }
        self.action = action
        target = record.target
        replay = fields.optionalInteger("replay")
        letters = zip(record.items, times).map {
            ($0.key, DeadLetterPlace(place: $0.place, atMs: $1))
        }
        by = record.by
        atMs = record.atMs
    }

    var record: CommandRecord {
        var arguments = JSONWriter()
        arguments.beginObject()
        arguments.key("dead_at")
        arguments.beginArray()
        for (_, letter) in letters { arguments.integer(letter.atMs) }
        arguments.endArray()
        arguments.optional("replay", replay)
        arguments.endObject()
        return CommandRecord(
            action: action.rawValue, target: target,
            items: letters.map { CommandRecord.Item(key: $0.key, place: $0.letter.place) }, by: by, atMs: atMs,
            arguments: arguments.bytes)
    }

    /// What each shard's owner has to do. A replay is at work where shard 0 of its target is.
    func letters(_ layout: LogLayout) -> [Int: [DeadLetterPlace]] {
        Dictionary(grouping: letters.map(\.letter)) { replay == nil ? layout.shard(of: $0.place.partition) : 0 }
    }
}
