internal import CRdKafka

/// Why something could not be done in a cluster, or a client could not be made.
package struct KafkaFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What the failure says about.
    package enum Concern: Sendable, Hashable {
        /// This record: another one may succeed.
        case record
        /// The cluster, the way to it, or what it permits.
        case cluster
    }

    /// librdkafka's name for it in lower case, such as `msg_timed_out` or `topic_authorization_failed`.
    package var code: String
    /// For people. Holds no secret and nothing of the record.
    package var message: String
    package var concern: Concern
    /// The record may stand in the topic although no broker said so: published again, it may stand there twice.
    package var mayBeKept: Bool

    package init(code: String, message: String, concern: Concern = .cluster, mayBeKept: Bool = false) {
        self.code = code
        self.message = message
        self.concern = concern
        self.mayBeKept = mayBeKept
    }

    static let restarting = KafkaFailure(code: "restarting", message: "the client starts anew after an error")
    static let closed = KafkaFailure(code: "closed", message: "the client is closed")

    /// The client's own queue is full: later there is room again.
    package static let queueFull = "queue_full"
    /// What was to be read next is not there any more, or not yet.
    package static let offsetOutOfRange = "offset_out_of_range"
    /// A commit of a partition that is not this member's.
    package static let notOwned = "not_owned"

    package var description: String { message }

    init(_ error: rd_kafka_resp_err_t, mayBeKept: Bool = false) {
        code = Self.code(error)
        message = unsafe rd_kafka_err2str(error).map { unsafe String(cString: $0) } ?? "unknown error"
        concern = Self.ofRecord.contains { $0 == error } ? .record : .cluster
        self.mayBeKept = mayBeKept
    }

    /// Errors that are librdkafka's own, and no broker's, have names that begin with an underscore.
    static func code(_ error: rd_kafka_resp_err_t) -> String {
        let name = unsafe rd_kafka_err2name(error).map { unsafe String(cString: $0) } ?? "unknown"
        return String(name.drop { $0 == "_" }).lowercased()
    }

    /// The codes whose concern is the record.
    package static var codesOfRecords: [String] { ofRecord.map(code) }

    /// Errors by which a broker, or librdkafka on its behalf, refuses one record for what it is.
    private static let ofRecord = [
        RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, RD_KAFKA_RESP_ERR_INVALID_MSG,
        RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
        RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP,
    ]
}
