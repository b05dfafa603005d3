internal import CRdKafka
internal import Glibc

// Each kind of request to a cluster's administration: what goes in, and what comes out of its answer.

extension KafkaAdmin {
    /// Every topic of the cluster that this client may see.
    package func topics() throws(KafkaFailure) -> [String: TopicDescription] {
        try retrying { limit throws(KafkaFailure) in
            var metadata: UnsafePointer<rd_kafka_metadata_t>?
            let error = unsafe rd_kafka_metadata(client.handle, 1, nil, &metadata, limit.wholeMilliseconds)
            guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata = unsafe metadata else {
                throw client.failure(error)
            }
            defer { unsafe rd_kafka_metadata_destroy(metadata) }
            var topics: [String: TopicDescription] = [:]
            for index in 0..<Int(unsafe metadata.pointee.topic_cnt) {
                let topic = unsafe metadata.pointee.topics[index]
                let partitions = unsafe UnsafeBufferPointer(start: topic.partitions, count: Int(topic.partition_cnt))
                guard let fewest = unsafe partitions.map(\.replica_cnt).min() else { continue }
                let name = unsafe String(cString: topic.topic)
                topics[name] = TopicDescription(
                    name: name, partitions: partitions.count, replication: Int(fewest))
            }
            return topics
        }
    }

    /// Creates topics; one that exists already is left as it is, and is no failure.
    /// - Returns: what could not be created, by name.
    package func create(_ topics: [NewTopic]) throws(KafkaFailure) -> [String: KafkaFailure] {
        guard !topics.isEmpty else { return [:] }
        var created: [OpaquePointer?] = unsafe []
        defer { unsafe created.forEach { unsafe rd_kafka_NewTopic_destroy($0) } }
        for topic in topics { try unsafe created.append(Self.newTopic(topic)) }
        return try unsafe request(RD_KAFKA_ADMIN_OP_CREATETOPICS) { options, queue in
            unsafe rd_kafka_CreateTopics(client.handle, &created, created.count, options, queue)
        } read: { event throws(KafkaFailure) in
            var count = 0
            let results = unsafe rd_kafka_CreateTopics_result_topics(
                rd_kafka_event_CreateTopics_result(event), &count)
            return unsafe failures(
                results, count, but: [RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS])
        }
    }

    /// Deletes topics with everything in them; one that is not there is no failure.
    package func delete(topics: [String]) throws(KafkaFailure) {
        guard !topics.isEmpty else { return }
        var deleted = unsafe topics.map { unsafe rd_kafka_DeleteTopic_new($0) }
        defer { unsafe deleted.forEach { unsafe rd_kafka_DeleteTopic_destroy($0) } }
        let failures = try unsafe request(RD_KAFKA_ADMIN_OP_DELETETOPICS) { options, queue in
            unsafe rd_kafka_DeleteTopics(client.handle, &deleted, deleted.count, options, queue)
        } read: { event throws(KafkaFailure) in
            var count = 0
            let results = unsafe rd_kafka_DeleteTopics_result_topics(
                rd_kafka_event_DeleteTopics_result(event), &count)
            return unsafe self.failures(
                results, count, but: [RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART])
        }
        if let failure = failures.values.first { throw failure }
    }

    /// Deletes a consumer group with its commits; one that is not there is no failure, one that has members is.
    package func deleteGroup(_ name: String) throws(KafkaFailure) {
        var group = unsafe rd_kafka_DeleteGroup_new(name)
        defer { unsafe rd_kafka_DeleteGroup_destroy(group) }
        try unsafe request(RD_KAFKA_ADMIN_OP_DELETEGROUPS) { options, queue in
            unsafe rd_kafka_DeleteGroups(client.handle, &group, 1, options, queue)
        } read: { event throws(KafkaFailure) in
            var count = 0
            let results = unsafe rd_kafka_DeleteGroups_result_groups(
                rd_kafka_event_DeleteGroups_result(event), &count)
            let error = unsafe Self.error(ofGroup: results, count)
            if error != RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND { try client.check(error) }
        }
    }

    /// The settings of topics, defaults included, under Kafka's own names; those that are secret are left out, and topics
    /// that the broker asked does not know: it may hear of one later than others.
    package func configuration(ofTopics topics: [String]) throws(KafkaFailure) -> [String: [String: String]] {
        guard !topics.isEmpty else { return [:] }
        var resources = unsafe topics.map { unsafe rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, $0) }
        defer { unsafe resources.forEach { unsafe rd_kafka_ConfigResource_destroy($0) } }
        return try unsafe request(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS) { options, queue in
            unsafe rd_kafka_DescribeConfigs(client.handle, &resources, resources.count, options, queue)
        } read: { event throws(KafkaFailure) in
            var count = 0
            let results = unsafe rd_kafka_DescribeConfigs_result_resources(
                rd_kafka_event_DescribeConfigs_result(event), &count)
            var configurations: [String: [String: String]] = [:]
            for index in 0..<count {
                let result = unsafe results?[index]
                let error = unsafe rd_kafka_ConfigResource_error(result)
                if error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART { continue }
                try client.check(error)
                let name = unsafe String(cString: rd_kafka_ConfigResource_name(result))
                configurations[name] = unsafe Self.entries(of: result)
            }
            return configurations
        }
    }

    /// What a group has committed for partitions of any topics: those for which it has.
    package func committed(
        group: String, _ partitions: [TopicPartition]
    ) throws(KafkaFailure) -> [TopicPartition: KafkaCommit] {
        guard !partitions.isEmpty else { return [:] }
        let deadline = ContinuousClock.now + timeout
        do throws(KafkaFailure) {
            return try offsets(ofGroup: group, partitions)
        } catch {
            // librdkafka 2.0.2 goes on asking the coordinator that a group once had, for as long as the client lives.
            var failure = error
            while failure.code == KafkaFailure.notCoordinator, .now < deadline {
                usleep(100_000)
                do throws(KafkaFailure) {
                    return try fresh(timeout: ContinuousClock.now.duration(to: deadline)).offsets(
                        ofGroup: group, partitions)
                } catch {
                    failure = error
                }
            }
            throw failure
        }
    }

    private func offsets(
        ofGroup group: String, _ partitions: [TopicPartition]
    ) throws(KafkaFailure) -> [TopicPartition: KafkaCommit] {
        let list = PartitionList(Dictionary(partitions.map { ($0, 0) }) { first, _ in first })
        var asked = unsafe rd_kafka_ListConsumerGroupOffsets_new(group, list.pointer)
        defer { unsafe rd_kafka_ListConsumerGroupOffsets_destroy(asked) }
        return try unsafe request(
            RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, givingUpOn: KafkaFailure.notCoordinator
        ) { options, queue in
            unsafe rd_kafka_ListConsumerGroupOffsets(client.handle, &asked, 1, options, queue)
        } read: { event throws(KafkaFailure) in
            var count = 0
            let results = unsafe rd_kafka_ListConsumerGroupOffsets_result_groups(
                rd_kafka_event_ListConsumerGroupOffsets_result(event), &count)
            try client.check(unsafe Self.error(ofGroup: results, count))
            guard let found = unsafe rd_kafka_group_result_partitions(results?[0]) else { return [:] }
            var commits: [TopicPartition: KafkaCommit] = [:]
            for element in unsafe PartitionList.elements(of: found) {
                try client.check(element.error)
                guard element.offset >= 0 else { continue }
                commits[element.partition] = KafkaCommit(offset: element.offset, metadata: element.metadata)
            }
            return commits
        }
    }

    // MARK: Parts

    private static func newTopic(_ topic: NewTopic) throws(KafkaFailure) -> OpaquePointer {
        var text = [CChar](repeating: 0, count: 256)
        guard
            let new = unsafe rd_kafka_NewTopic_new(
                topic.name, Int32(clamping: topic.partitions), Int32(clamping: topic.replication ?? -1), &text,
                text.count)
        else {
            throw KafkaFailure(code: "invalid_arg", message: "\(topic.name) cannot be a topic of that many partitions")
        }
        for (name, value) in topic.configuration { _ = unsafe rd_kafka_NewTopic_set_config(new, name, value) }
        return unsafe new
    }

    /// What went wrong, by topic, but for the errors that are none.
    private func failures(
        _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int, but none: [rd_kafka_resp_err_t]
    ) -> [String: KafkaFailure] {
        var failures: [String: KafkaFailure] = [:]
        for index in 0..<count {
            let result = unsafe results?[index]
            let error = unsafe rd_kafka_topic_result_error(result)
            guard !none.contains(where: { $0 == error }) else { continue }
            var failure = client.failure(error)
            // A broker's own words say which setting it does not take.
            if let words = unsafe rd_kafka_topic_result_error_string(result) {
                failure.message = unsafe String(cString: words)
            }
            failures[unsafe String(cString: rd_kafka_topic_result_name(result))] = failure
        }
        return failures
    }

    private static func error(
        ofGroup results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int
    ) -> rd_kafka_resp_err_t {
        guard count > 0, let error = unsafe rd_kafka_group_result_error(results?[0]) else {
            return RD_KAFKA_RESP_ERR_NO_ERROR
        }
        return unsafe rd_kafka_error_code(error)
    }

    private static func entries(of resource: OpaquePointer?) -> [String: String] {
        var count = 0
        let entries = unsafe rd_kafka_ConfigResource_configs(resource, &count)
        var configuration: [String: String] = [:]
        for index in 0..<count {
            let entry = unsafe entries?[index]
            guard let value = unsafe rd_kafka_ConfigEntry_value(entry) else { continue }
            configuration[unsafe String(cString: rd_kafka_ConfigEntry_name(entry))] = unsafe String(cString: value)
        }
        return configuration
    }
}

extension KafkaAdmin {
    /// Sends a request and reads its answer; what may pass is tried again, but for a failure of the code given.
    private func request<Answer>(
        _ operation: rd_kafka_admin_op_t, givingUpOn code: String? = nil,
        send: (_ options: OpaquePointer?, _ queue: OpaquePointer?) -> Void,
        read: (OpaquePointer) throws(KafkaFailure) -> Answer
    ) throws(KafkaFailure) -> Answer {
        try retrying(givingUpOn: code) { limit throws(KafkaFailure) in
            let options = unsafe rd_kafka_AdminOptions_new(client.handle, operation)
            defer { unsafe rd_kafka_AdminOptions_destroy(options) }
            _ = unsafe rd_kafka_AdminOptions_set_request_timeout(options, max(1, limit.wholeMilliseconds), nil, 0)
            if operation == RD_KAFKA_ADMIN_OP_CREATETOPICS || operation == RD_KAFKA_ADMIN_OP_DELETETOPICS {
                // Topics are there (or not) when the answer comes.
                _ = unsafe rd_kafka_AdminOptions_set_operation_timeout(
                    options, max(1, limit.wholeMilliseconds), nil, 0)
            }
            let queue = unsafe rd_kafka_queue_new(client.handle)
            defer { unsafe rd_kafka_queue_destroy(queue) }
            unsafe send(options, queue)
            // librdkafka keeps the time; some more, so that it is its answer that is heard.
            guard let event = unsafe rd_kafka_queue_poll(queue, (limit + .seconds(1)).wholeMilliseconds) else {
                throw client.failure(RD_KAFKA_RESP_ERR__TIMED_OUT)
            }
            defer { unsafe rd_kafka_event_destroy(event) }
            try client.check(unsafe rd_kafka_event_error(event))
            return unsafe try read(event)
        }
    }

    /// Tries until it is done, it fails for good, or the time is over.
    func retrying<Answer>(
        givingUpOn code: String? = nil, _ body: (_ limit: Duration) throws(KafkaFailure) -> Answer
    ) throws(KafkaFailure) -> Answer {
        let deadline = ContinuousClock.now + timeout
        while true {
            do throws(KafkaFailure) {
                client.serve()
                let answer = try body(ContinuousClock.now.duration(to: deadline))
                client.context.succeeded()
                return answer
            } catch {
                let pause = Duration.milliseconds(100)
                guard error.mayPass, error.code != code, .now + pause < deadline else { throw error }
                usleep(100_000)
            }
        }
    }
}

extension Client {
    /// A failure with its reason, from what the client has found out meanwhile.
    func failure(_ error: rd_kafka_resp_err_t) -> KafkaFailure {
        serve()
        return context.failure(error)
    }

    /// Has the callbacks called that are due: errors are noted, and a token that has run out is renewed.
    func serve() {
        while unsafe rd_kafka_poll(handle, 0) > 0 {}
    }

    func check(_ error: rd_kafka_resp_err_t) throws(KafkaFailure) {
        if error != RD_KAFKA_RESP_ERR_NO_ERROR { throw failure(error) }
    }
}

extension KafkaFailure {
    fileprivate static let notCoordinator = "not_coordinator"

    /// Of what is normal while brokers start, stop or hand over.
    fileprivate var mayPass: Bool {
        [
            "leader_not_available", "not_leader_for_partition", "not_controller", "coordinator_not_available",
            Self.notCoordinator, "coordinator_load_in_progress", "request_timed_out", "timed_out", "transport",
            "broker_not_available", "wait_coord", "network_exception", "replica_not_available", "wait_cache",
            "kafka_storage_error", "unknown_leader_epoch", "fenced_leader_epoch", "partial",
        ].contains(code)
    }
}
