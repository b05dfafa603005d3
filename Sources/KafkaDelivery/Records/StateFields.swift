internal import Cryptography
internal import EventLog
internal import JSON
internal import Kafka
internal import KafkaLog

/// Why a record of the state topics cannot be read.
package struct StateRecordError: Error, Sendable, Hashable, CustomStringConvertible {
    /// For people; holds nothing of an event.
    package let message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}

/// The members of one JSON object. Those that are not known are passed over: a later version may have written them.
struct StateFields {
    let tape: JSONTape
    let object: JSONIndex
    let layout: LogLayout

    init(_ tape: JSONTape, _ object: JSONIndex, _ layout: LogLayout) throws(StateRecordError) {
        guard tape.kind(object) == .object else { throw StateRecordError("it is not an object") }
        self.tape = tape
        self.object = object
        self.layout = layout
    }

    func member(_ name: StaticString) -> JSONIndex? { tape.member(object, name) }

    func text(_ name: StaticString) throws(StateRecordError) -> String {
        guard let text = optionalText(name) else { throw missing(name) }
        return text
    }

    func optionalText(_ name: StaticString) -> String? {
        member(name).flatMap { tape.kind($0) == .string ? tape.text($0) : nil }
    }

    func integer(_ name: StaticString) throws(StateRecordError) -> Int64 {
        guard let value = optionalInteger(name) else { throw missing(name) }
        return value
    }

    func optionalInteger(_ name: StaticString) -> Int64? { member(name).flatMap { tape.integer($0) } }

    func bool(_ name: StaticString) -> Bool { member(name).flatMap { tape.bool($0) } ?? false }

    /// Empty when there are none.
    func texts(_ name: StaticString) -> [String] {
        guard let list = member(name) else { return [] }
        return tape.elements(list).compactMap { tape.text($0) }
    }

    func object(_ name: StaticString) throws(StateRecordError) -> StateFields? {
        guard let value = member(name), tape.kind(value) == .object else { return nil }
        return try StateFields(tape, value, layout)
    }

    /// `[topic, partition, offset]`.
    func place(_ name: StaticString) throws(StateRecordError) -> RecordPlace {
        guard let value = member(name), let place = place(value) else { throw missing(name) }
        return place
    }

    func places(_ name: StaticString) throws(StateRecordError) -> [RecordPlace] {
        guard let list = member(name) else { return [] }
        var places: [RecordPlace] = []
        for element in tape.elements(list) {
            guard let place = place(element) else { throw missing(name) }
            places.append(place)
        }
        return places
    }

    private func place(_ value: JSONIndex) -> RecordPlace? {
        guard tape.count(value) == 3, let topic = tape.element(value, at: 0).flatMap({ tape.text($0) }),
            let partition = tape.element(value, at: 1).flatMap({ tape.integer($0) }).flatMap({ Int32(exactly: $0) }),
            let offset = tape.element(value, at: 2).flatMap({ tape.integer($0) }), offset >= 0,
            let index = layout.index(topic: topic, partition: partition)
        else { return nil }
        return RecordPlace(partition: index, offset: offset)
    }

    /// `[epoch, number]`; none where it is not there.
    func stamp(_ name: StaticString) -> RecordStamp {
        guard let value = member(name), let epoch = tape.element(value, at: 0).flatMap({ tape.integer($0) }),
            let number = tape.element(value, at: 1).flatMap({ tape.integer($0) })
        else { return .none }
        return RecordStamp(epoch: epoch, number: number)
    }

    /// What `JSONWriter.member(_:bytes:)` wrote: text, or an object with base64 in it. Nil when it is not there.
    func bytes(_ name: StaticString) throws(StateRecordError) -> [UInt8]? {
        guard let value = member(name), tape.kind(value) != .null else { return nil }
        if tape.kind(value) == .string { return Array((tape.text(value) ?? "").utf8) }
        guard let digits = tape.member(value, "base64").flatMap({ tape.text($0) }), let bytes = Base64.decode(digits)
        else { throw missing(name) }
        return bytes
    }

    func missing(_ name: StaticString) -> StateRecordError {
        StateRecordError("its member `\(name)` is missing, or not what it should be")
    }
}

extension JSONWriter {
    mutating func member(_ name: StaticString, _ place: RecordPlace, _ layout: LogLayout) {
        key(name)
        value(place, layout)
    }

    mutating func value(_ place: RecordPlace, _ layout: LogLayout) {
        let topic = layout.topicPartition(place.partition)
        beginArray()
        string(topic.topic)
        integer(Int64(topic.partition))
        integer(place.offset)
        endArray()
    }

    mutating func member(_ name: StaticString, _ stamp: RecordStamp) {
        key(name)
        beginArray()
        integer(stamp.epoch)
        integer(stamp.number)
        endArray()
    }

    /// As text where it is text, else in base64. Nothing where there is no value.
    mutating func member(_ name: StaticString, bytes: [UInt8]?) {
        guard let bytes else { return }
        key(name)
        if let text = String(validating: bytes, as: UTF8.self) { return string(text) }
        beginObject()
        key("base64")
        string(Base64.encode(bytes))
        endObject()
    }

    /// Nothing where there is no value.
    mutating func optional(_ name: StaticString, _ value: Int64?) {
        if let value { member(name, value) }
    }

    /// Nothing where there is no value.
    mutating func optional(_ name: StaticString, _ value: String?) {
        if let value { member(name, value) }
    }
}
