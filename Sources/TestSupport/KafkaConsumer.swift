import Foundation

/// Reads topics from their beginning to their end as a member of a consumer group, by confluent-kafka in Python: a client
/// that is not ours, and another one than kcat.
/// - Parameters:
///   - pattern: a regular expression that the topics' names match, beginning with `^`.
///   - properties: librdkafka's, such as those of a login.
/// - Returns: the records of each topic; topics without any are there too.
package func consumeTopics(
    _ pattern: String, _ brokers: [String], properties: [String: String] = [:]
) throws -> [String: [ReadRecord]] {
    let settings = properties.merging(["bootstrap.servers": brokers.joined(separator: ",")]) { $1 }
    let json = String(decoding: try JSONSerialization.data(withJSONObject: settings), as: UTF8.self)
    let (status, output) = try run(
        PythonEnvironment.program("python"), ["-c", consumerScript, pattern], input: json)
    guard status == 0 else { throw KafkaReadError(description: "confluent-kafka: \(output)") }
    var topics: [String: [ReadRecord]] = [:]
    for line in output.split(separator: "\n") where line.hasPrefix("{") {
        guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
            let topic = object["topic"] as? String
        else { throw KafkaReadError(description: "confluent-kafka says \(line)") }
        topics[topic, default: []] += []
        guard let partition = object["partition"] as? Int else { continue }
        topics[topic]?.append(
            ReadRecord(
                partition: partition, key: object["key"] as? String,
                headers: object["headers"] as? [String: String] ?? [:], value: object["value"] as? String ?? ""))
    }
    return topics
}

/// Settings come by standard input, so that a password stands in no list of processes.
private let consumerScript = """
    import json, re, sys, time, uuid
    from confluent_kafka import Consumer, TopicPartition

    pattern = sys.argv[1]
    settings = json.load(sys.stdin)
    settings.update({"group.id": f"reader-{uuid.uuid4()}", "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer = Consumer(settings)
    topics = consumer.list_topics(timeout=60).topics
    left = {}
    for name, topic in topics.items():
        if not re.match(pattern, name):
            continue
        print(json.dumps({"topic": name}))
        for partition in topic.partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=60)
            if high > low:
                left[name, partition] = high
    consumer.subscribe([pattern])
    deadline = time.monotonic() + 120
    while left:
        if time.monotonic() > deadline:
            sys.exit(f"nothing came of {sorted(left)}")
        message = consumer.poll(1.0)
        if message is None or message.error():
            continue
        headers = {name: value.decode() for name, value in message.headers() or []}
        print(json.dumps({
            "topic": message.topic(), "partition": message.partition(), "headers": headers,
            "key": message.key().decode() if message.key() is not None else None,
            "value": message.value().decode() if message.value() is not None else None}))
        place = message.topic(), message.partition()
        if message.offset() + 1 >= left.get(place, message.offset() + 2):
            left.pop(place, None)
    consumer.close()

    """
