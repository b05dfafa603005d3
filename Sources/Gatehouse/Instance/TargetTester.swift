internal import Configuration
internal import Delivery
internal import Dispatch
internal import EventLog
internal import Events
internal import Glibc
internal import HTTPClient
internal import Logging
internal import Synchronization
internal import Targets
internal import YAML

/// Tries a target out: through the running instance, from where it stands, or with none running by itself.
struct TargetTester {
    let arguments: Arguments

    /// - Returns: the report as JSON.
    func test(_ name: String) throws -> [UInt8] {
        let configuration: Configuration
        switch try arguments.findInstance() {
        case .running(let client):
            return try client.send("POST", "targets/\(name)/test", timeout: Self.limit).body
        case .stopped(let files): configuration = files
        }
        guard let blueprint = configuration.targets.first(where: { $0.settings.name == name }) else {
            let near = didYouMean(name, among: configuration.targets.map(\.settings.name))
            throw CommandFailure("no target is called \(Terminal.harmless(name))\(near)")
        }
        let lock = try note(name, in: configuration)
        return try withExtendedLifetime(lock) { try Self.send(blueprint) }
    }

    /// A target's `timeout:` is ten minutes at the longest.
    private static let limit = Duration.seconds(630)

    /// Writes into the audit log who tries the target out. A folder that no instance has used yet has none.
    /// - Returns: what keeps instances away meanwhile.
    private func note(_ target: String, in configuration: Configuration) throws -> InstanceLock? {
        let isShared = configuration.log != .embedded
        let folder = isShared ? KafkaStorage.folder(in: configuration.dataFolder) : configuration.dataFolder
        guard unsafe access(DeliveryStore.path(in: folder), F_OK) == 0 else { return nil }
        do {
            let lock = try InstanceLock(folder: configuration.dataFolder)
            let store = try DeliveryStore.open(folder: folder)
            try store.audit(
                AuditEntry(
                    atMs: Timestamp.now().milliseconds, actor: Machine.user, action: "targets.test", subject: target))
            try store.close()
            return lock
        } catch {
            throw CommandFailure("this could not be noted in the audit log, so it was not done: \(error)")
        }
    }

    private static func send(_ blueprint: any TargetBlueprint) throws -> [UInt8] {
        let client = HTTPClient(maximumConnections: 4)
        defer { client.shutdown() }
        let target: any Target
        do {
            target = try blueprint.make(
                TargetContext(client: client, hostname: Machine.name, logger: .standardError(.text)))
        } catch {
            throw CommandFailure("\(error)")
        }
        defer { target.close() }
        let report = AwaitedReport()
        TargetTest.run(target, blueprint.settings, now: .now()) { report.set($0.json) }
        return report.wait()
    }
}

/// A report that a thread waits for.
private final class AwaitedReport: Sendable {
    private let report = Mutex<[UInt8]?>(nil)
    private let arrived = DispatchSemaphore(value: 0)

    func set(_ json: [UInt8]) {
        report.withLock { $0 = json }
        arrived.signal()
    }

    func wait() -> [UInt8] {
        arrived.wait()
        return report.withLock { $0 ?? [] }
    }
}
