internal import Delivery
internal import Kafka
internal import KafkaLog

/// Removing a target that no instance is configured with.
extension KafkaOperations {
    package func forget(_ target: String, by actor: String) throws {
        guard control.value(.target(target)) != nil else { throw DeliveryStoreError("there is no target \(target)") }
        if engine.settings(of: target) != nil {
            throw DeliveryStoreError("the target \(target) is still configured: remove it there first")
        }
        if let instance = instance(configuredWith: target) {
            throw DeliveryStoreError(
                "the target \(target) is still configured on the instance \(instance): remove it there first")
        }
        try audit(AuditEntry(atMs: Moment.now().wallMs, actor: actor, action: "targets.forget", subject: target))
        do throws(KafkaFailure) {
            try removeFromKafka(target)
        } catch {
            throw DeliveryStoreError("Kafka does not forget the target \(target): \(error.message)")
        }
        forgetGone()
        view.outdate()
    }

    /// An instance that is there and has the target.
    private func instance(configuredWith target: String) -> String? {
        let decoder = StateDecoder(layout)
        let nowMs = Moment.now().wallMs
        for entry in control.entries(where: { if case .instance = $0 { true } else { false } }) {
            guard case .instance(let name) = entry.key, name != options.kafka.clientID,
                let record = entry.record(InstanceRecord.self, decoder), !record.hasEnded,
                nowMs - record.atMs < InstanceReporter.lifetimeMs
            else { continue }
            if record.targets.contains(target) { return name }
        }
        return nil
    }

    /// The group first: Kafka keeps one that somebody is in, and then nothing has been removed.
    private func removeFromKafka(_ target: String) throws(KafkaFailure) {
        let names = StateTopics(prefix: options.prefix)
        let admin = try KafkaAdmin(options.kafka, group: "\(options.prefix).admin")
        try admin.deleteGroup(names.group(target))
        try admin.delete(topics: [names.retry(target), names.dead(target)])
        let keys = control.entries { $0.isPart(of: target) }.map(\.key)
        for key in keys { _ = try control.write(key, nil, within: Self.patience) }
    }

    /// Targets that have been forgotten, here or by another instance.
    func forgetGone() {
        let known = engine.targets().map(\.name)
        for name in known where engine.settings(of: name) == nil && control.value(.target(name)) == nil {
            try? engine.forget(name)
        }
    }
}

extension ControlKey {
    /// Whether it is about the target, and means nothing without it. The target's own record is the last to go.
    fileprivate func isPart(of target: String) -> Bool {
        switch self {
        case .target(let name), .replay(let name, _), .replayCursor(let name, _), .cursor(let name, _): name == target
        case .command, .result, .version, .instance: false
        }
    }
}
