internal import Events
package import Targets

extension DeliveryEngine {
    /// Sends a marked sample through a target as it runs: by its own connections, files and credentials, though it is
    /// paused or waits. Nothing of it is counted or kept but that it was done, and by whom.
    /// - Parameters:
    ///   - actor: for the audit log.
    ///   - completion: called once, on any thread.
    /// - Throws: `DeliveryStoreError` when there is no such target, or it is switched off.
    package func test(
        _ target: String, by actor: String, completion: @escaping @Sendable (TargetTestReport) -> Void
    ) throws {
        let (sink, settings) = try operate(target) { _, runtime, _ in
            guard let sink = runtime.sink, let settings = runtime.settings else {
                throw DeliveryStoreError(
                    "the target \(target) is switched off or not configured, so there is nothing to send by")
            }
            return (sink.target, settings)
        }
        try store.audit(
            AuditEntry(atMs: Moment.now().wallMs, actor: actor, action: "targets.test", subject: target))
        TargetTest.run(sink, settings, now: .now(), completion: completion)
    }
}
