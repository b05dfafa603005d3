internal import CRdKafka

/// Removes the records of a partition before an offset, as retention does when their time has come.
package func removeRecords(
    of topic: String, partition: Int32, before offset: Int64, _ brokers: [String]
) throws(KafkaReadError) {
    let configuration = unsafe rd_kafka_conf_new()
    unsafe rd_kafka_conf_set(configuration, "bootstrap.servers", brokers.joined(separator: ","), nil, 0)
    guard let client = unsafe rd_kafka_new(RD_KAFKA_PRODUCER, configuration, nil, 0) else {
        throw KafkaReadError(description: "the Kafka client does not start")
    }
    defer { unsafe rd_kafka_destroy(client) }
    let offsets = unsafe rd_kafka_topic_partition_list_new(1)
    defer { unsafe rd_kafka_topic_partition_list_destroy(offsets) }
    unsafe rd_kafka_topic_partition_list_add(offsets, topic, partition).pointee.offset = offset
    var request = unsafe rd_kafka_DeleteRecords_new(offsets)
    defer { unsafe rd_kafka_DeleteRecords_destroy(request) }
    let queue = unsafe rd_kafka_queue_new(client)
    defer { unsafe rd_kafka_queue_destroy(queue) }
    unsafe rd_kafka_DeleteRecords(client, &request, 1, nil, queue)
    guard let event = unsafe rd_kafka_queue_poll(queue, 30_000) else {
        throw KafkaReadError(description: "no broker removes records")
    }
    defer { unsafe rd_kafka_event_destroy(event) }
    let error = unsafe rd_kafka_event_error(event)
    guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
        throw KafkaReadError(description: unsafe String(cString: rd_kafka_err2str(error)))
    }
}
