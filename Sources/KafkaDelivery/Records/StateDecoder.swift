internal import JSON
internal import Kafka
package import KafkaLog

/// Reads the records of the state topics. Confined to one thread.
package final class StateDecoder {
    let layout: LogLayout
    private let parser = JSONParser(maximumDepth: 32, maximumBytes: 16 << 20, maximumNodes: 1 << 20)

    package init(_ layout: LogLayout) {
        self.layout = layout
    }

    /// The name of the one header that holds everything but the event's text.
    static let header = "gatehouse"

    func fields(ofHeader message: KafkaMessage) throws(StateRecordError) -> StateFields {
        guard let header = message.headers.last(where: { $0.name == Self.header }) else {
            throw StateRecordError("it has no header `\(Self.header)`")
        }
        return try fields(header.value)
    }

    func fields(_ json: [UInt8]) throws(StateRecordError) -> StateFields {
        let tape: JSONTape
        do {
            tape = try parser.parse(json)
        } catch {
            throw StateRecordError(error.message)
        }
        return try StateFields(tape, tape.root, layout)
    }

    func key(_ message: KafkaMessage) throws(StateRecordError) -> StateKey {
        guard let key = message.key.flatMap({ StateKey($0) }) else {
            throw StateRecordError("its key is no event id")
        }
        return key
    }
}
