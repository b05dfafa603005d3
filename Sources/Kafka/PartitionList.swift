internal import CRdKafka
internal import Glibc

/// Owns librdkafka's list of partitions, each with an offset and metadata.
@safe struct PartitionList: ~Copyable {
    struct Element {
        var partition: TopicPartition
        var offset: Int64
        /// None and an empty one are the same to the protocol.
        var metadata: String?
        var error: rd_kafka_resp_err_t
    }

    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(capacity: Int = 16) {
        guard let list = unsafe rd_kafka_topic_partition_list_new(Int32(clamping: capacity)) else {
            fatalError("no memory")
        }
        unsafe pointer = unsafe list
    }

    init(_ offsets: [TopicPartition: Int64]) {
        self.init(capacity: offsets.count)
        for (partition, offset) in offsets { add(partition, offset) }
    }

    deinit {
        unsafe rd_kafka_topic_partition_list_destroy(pointer)
    }

    func add(_ partition: TopicPartition, _ offset: Int64, metadata: String? = nil) {
        guard
            let element = unsafe rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition)
        else { return }
        unsafe element.pointee.offset = offset
        guard let metadata, !metadata.isEmpty else { return }
        // The list frees it with `free`.
        let count = metadata.utf8.count
        guard let copy = unsafe malloc(count) else { return }
        for (index, byte) in metadata.utf8.enumerated() {
            unsafe copy.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
        unsafe element.pointee.metadata = unsafe copy
        unsafe element.pointee.metadata_size = count
    }

    var elements: [Element] { unsafe Self.elements(of: pointer) }

    /// Of a list that somebody else owns.
    static func elements(of list: UnsafePointer<rd_kafka_topic_partition_list_t>) -> [Element] {
        (0..<Int(unsafe list.pointee.cnt)).map { index in
            let element = unsafe list.pointee.elems[index]
            let metadata = unsafe String(
                decoding: UnsafeRawBufferPointer(start: element.metadata, count: element.metadata_size), as: UTF8.self)
            return unsafe Element(
                partition: TopicPartition(topic: String(cString: element.topic), partition: element.partition),
                offset: element.offset, metadata: metadata.isEmpty ? nil : metadata, error: element.err)
        }
    }
}
