import Delivery
import Dispatch
import EventLog
import Events
import Kafka
import KafkaDelivery
import KafkaLog
import Logging
import Metrics
import Rules
import Synchronization
import Targets
import TestSupport
import YAML

/// A target in memory that answers as told and remembers what it got, from however many instances.
final class SharedReceiver: Target {
    private struct State {
        var received: [EventID: Int] = [:]
        var replayed: [EventID: Int] = [:]
        var refuses: @Sendable (EventID) -> Bool = { _ in false }
        var delayMs = 0
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "receiver")

    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void) {
        guard let id = outgoing.event.id else { return }
        let (isRefused, delayMs) = state.withLock { state in
            let isRefused = state.refuses(id)
            if !isRefused {
                if outgoing.replay == nil {
                    state.received[id, default: 0] += 1
                } else {
                    state.replayed[id, default: 0] += 1
                }
            }
            return (isRefused, state.delayMs)
        }
        let outcome =
            isRefused
            ? DeliveryOutcome.failed(DeliveryFailure(code: "http_400", message: "no", blame: .event, status: 400))
            : .delivered(DeliveryReceipt(status: 200, duration: .milliseconds(1), bytes: 10))
        guard delayMs > 0 else { return completion(outcome) }
        queue.asyncAfter(deadline: .now() + .milliseconds(delayMs)) { completion(outcome) }
    }

    func close() {}

    /// Which events it never takes.
    func refuse(_ refuses: @escaping @Sendable (EventID) -> Bool) { state.withLock { $0.refuses = refuses } }
    func delay(milliseconds: Int) { state.withLock { $0.delayMs = milliseconds } }
    var received: [EventID: Int] { state.withLock { $0.received } }
    var replayed: [EventID: Int] { state.withLock { $0.replayed } }
}

struct ReceiverBlueprint: TargetBlueprint {
    var settings: TargetSettings
    var destination: String { "memory:\(settings.name)" }

    init(_ name: String) {
        settings = TargetSettings(name: name, type: "receiver")
        settings.start = .beginning
        settings.fingerprint = "1"
        settings.concurrency = 8
        settings.attempts = 2
    }

    /// - Parameter keys: of an http target, which say what it takes: `key`, `only_if`, `opt_out`.
    init(_ name: String, keys: String) throws {
        self.init(name)
        guard !keys.isEmpty else { return }
        var diagnostics = Diagnostics()
        let text = "type: http\nurl: https://x.example/\n\(keys)\n"
        let node = try parseYAML(Array(text.utf8), file: "gatehouse.yaml")
        let read = node.flatMap { TargetTypes.decode(name: name, node: $0, &diagnostics) }?.settings
        guard let read, diagnostics.isEmpty else { throw diagnostics }
        settings.recordKey = read.recordKey
        settings.admission = read.admission
    }

    func make(_ context: TargetContext) throws -> any Target { SharedReceiver() }
}

/// Everything of an instance that delivery on Kafka is made of.
final class WorkingInstance: Sendable {
    let log: KafkaEventLog
    let keeper: KafkaStateKeeper
    let engine: DeliveryEngine
    let view: KafkaView
    let operations: KafkaOperations
    private let folder = TemporaryDirectory()
    private let store: DeliveryStore
    private let isStopped = Mutex(false)

    init(
        _ name: String, _ cluster: KafkaCluster, prefix: String, targets: [String: SharedReceiver],
        configured: [String]? = nil, keys: String = "", attempts: Int = 2
    ) throws {
        let options = KafkaLogOptions(
            kafka: KafkaConfiguration(brokers: cluster.servers, clientID: name), prefix: prefix, partitions: 4,
            types: [.visitorSignin, .visitorSignout], spoolFolder: folder.file("spool"))
        let log = try KafkaEventLog.open(options, logger: .silent)
        let metrics = MetricsRegistry()
        let keeper = try KafkaStateKeeper(options, log: log, logger: .silent, metrics: metrics)
        let store = try DeliveryStore.open(folder: folder.path, keepsHistory: false)
        let names = configured ?? targets.keys.sorted()
        engine = try DeliveryEngine(
            log: log, store: store, keeper: keeper, plan: try Self.plan(names, keys: keys),
            blueprints: try names.map { try ReceiverBlueprint($0, keys: keys) }, metrics: metrics, logger: .silent,
            adjust: { policy in
                policy.attempts = attempts
                policy.retry.floorMs = 1
                policy.retry.baseMs = 2
                policy.retry.capMs = 20
            }, makeTarget: { targets[$0.settings.name] ?? SharedReceiver() })
        view = try KafkaView(options, log: log, logger: .silent)
        operations = KafkaOperations(
            engine: engine, view: view, control: keeper.control, options: options, logger: .silent,
            flush: { keeper.flush(within: $0) }, restoredReplays: { keeper.replays(of: $0) },
            facts: {
                InstanceFacts(version: "test", spooled: 0, duplicates: 3, quarantined: 1, targets: names)
            })
        self.log = log
        self.keeper = keeper
        self.store = store
        log.locate { [view] in view.place(of: $0) }
        try engine.start()
        try operations.start()
    }

    deinit { stop() }

    func stop() {
        guard
            isStopped.withLock({ isStopped in
                defer { isStopped = true }
                return !isStopped
            })
        else { return }
        operations.close()
        engine.stop(within: .seconds(5))
        keeper.close(within: .seconds(5))
        log.close(within: .seconds(5))
    }

    /// Other conditions from here on.
    func reload(_ names: [String], keys: String) throws {
        try engine.reload(
            plan: try Self.plan(names, keys: keys), blueprints: try names.map { try ReceiverBlueprint($0, keys: keys) })
    }

    static func plan(_ names: [String], keys: String = "") throws -> RulePlan {
        guard !names.isEmpty else { return .empty }
        var diagnostics = Diagnostics()
        let text = "routes:\n  - {name: all, to: [\(names.joined(separator: ", "))], when: {event: visitor.signin}}\n"
        var environment = RuleEnvironment(
            sources: ["london"], vendors: ["signinapp"], siteKeys: [], targets: names)
        environment.targetConditions = try names.compactMap { name in
            try ReceiverBlueprint(name, keys: keys).settings.admission.map {
                TargetConditions(target: name, onlyIf: $0.onlyIf, optOut: $0.optOut)
            }
        }
        let files = RuleLoader.load(
            texts: [("routes.yaml", Array(text.utf8))], environment: environment, diagnostics: &diagnostics)
        if diagnostics.hasErrors { throw diagnostics }
        return files.plan
    }

    /// Appends events and waits until they are durable. Every fifth is of a type that no route takes, and of every tenth
    /// nobody knows an e-mail address.
    @discardableResult
    func append(_ numbers: Range<UInt64>) async throws -> [EventID] {
        let records = numbers.map { Self.record($0) }
        _ = try await withCheckedThrowingContinuation { continuation in
            log.append(AppendBatch(records: records)) { continuation.resume(with: $0) }
        }
        return records.map(\.id)
    }

    static func record(_ number: UInt64) -> NewRecord {
        let id = EventID(high: 7, low: number)
        let type = number % 5 == 4 ? "visitor.signout" : "visitor.signin"
        let now = Timestamp.now()
        let mail = number % 10 == 0 ? "" : #","email":"ada\#(number)@example.com""#
        let payload =
            #"{"specversion":"1.0","id":"\#(id.hex)","source":"/sources/london","type":"\#(type)","subject":"visitor/\#(number)","time":"\#(now.text)","datacontenttype":"application/json","dataschema":"urn:gatehouse:event:1","partitionkey":"k\#(number % 7)","data":{"vendor":"signinapp","vendor_event":"\#(type)","source":"london","received_at":"\#(now.text)","site":{"id":"4567"},"visitor":{"id":"\#(number)","name":"Ada \#(number)"\#(mail)}}}"#
        return NewRecord(
            id: id, type: type, partitionKey: Array("k\(number % 7)".utf8), timeMs: now.milliseconds,
            receivedAtMs: now.milliseconds, source: "london", payload: Array(payload.utf8))
    }
}

/// One cluster for all tests of this process that need a real one.
enum SharedCluster {
    static func get() throws -> KafkaCluster { try .common() }

    /// No two tests share a topic.
    static func prefix() -> String { "t\(UInt32.random(in: 0...UInt32.max))" }
}
