internal import Kafka

/// What a record's headers say.
struct RecordAttributes {
    private(set) var specificationVersion: String?
    private(set) var id: String?
    private(set) var source: String?
    private(set) var type: String?
    private(set) var subject: [UInt8]?
    private(set) var time: String?
    private(set) var schema: String?
    private(set) var partitionKey: [UInt8]?
    private(set) var verifiedBy: String?
    /// The value is the event's whole text.
    private(set) var isWhole = false

    init(_ headers: [KafkaRecord.Header]) {
        for header in headers {
            switch header.name {
            case "ce_specversion": specificationVersion = Self.text(header)
            case "ce_id": id = Self.text(header)
            case "ce_source": source = Self.text(header)
            case "ce_type": type = Self.text(header)
            case "ce_subject": subject = header.value
            case "ce_time": time = Self.text(header)
            case "ce_dataschema": schema = Self.text(header)
            case "ce_partitionkey": partitionKey = header.value
            case "content-type": isWhole = isWhole || header.value.starts(with: Self.structuredStart)
            case RecordCodec.wholeHeader: isWhole = true
            case RecordCodec.verifiedByHeader: verifiedBy = Self.text(header)
            default: break
            }
        }
    }

    private static let structuredStart = Array("application/cloudevents".utf8)

    private static func text(_ header: KafkaRecord.Header) -> String { String(decoding: header.value, as: UTF8.self) }
}
