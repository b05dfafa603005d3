import Dispatch
import EventLog
import Events
import Logging
import Metrics
import Rules
import SQLite
import Synchronization
import Targets
import TestSupport
import YAML

@testable import Delivery

/// A target in memory that answers as told and remembers what it got.
final class ScriptedTarget: Target {
    enum Answer: Sendable {
        case now(DeliveryOutcome)
        case after(milliseconds: Int, DeliveryOutcome)
        case never
    }

    private struct State {
        var received: [EventID] = []
        var answer: @Sendable (OutgoingEvent) -> Answer = { _ in .now(delivered) }
        var held: [@Sendable (DeliveryOutcome) -> Void] = []
        var isClosed = false
        var batches: [Int] = []
        var batchOutcome = delivered
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "scripted-target")

    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void) {
        let answer = state.withLock { state in
            if let id = outgoing.event.id { state.received.append(id) }
            return state.answer(outgoing)
        }
        switch answer {
        case .now(let outcome): completion(outcome)
        case .after(let milliseconds, let outcome):
            queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { completion(outcome) }
        case .never: state.withLock { $0.held.append(completion) }
        }
    }

    func send(batch: [OutgoingEvent], completion: @escaping @Sendable (BatchOutcome) -> Void) {
        let outcome = state.withLock { state in
            state.batches.append(batch.count)
            state.received += batch.compactMap(\.event.id)
            return state.batchOutcome
        }
        completion(.all(outcome))
    }

    func close() { state.withLock { $0.isClosed = true } }

    /// The sizes of the batches it got.
    var batches: [Int] { state.withLock { $0.batches } }

    func answer(_ answer: @escaping @Sendable (OutgoingEvent) -> Answer) { state.withLock { $0.answer = answer } }
    func answerBatches(_ outcome: DeliveryOutcome) { state.withLock { $0.batchOutcome = outcome } }
    func always(_ outcome: DeliveryOutcome) { answer { _ in .now(outcome) } }

    /// Ends what it never answered.
    func release(_ outcome: DeliveryOutcome) {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for completion in held { completion(outcome) }
    }

    var received: [EventID] { state.withLock { $0.received } }
    var receivedSet: Set<EventID> { Set(received) }
    var isClosed: Bool { state.withLock { $0.isClosed } }
}

struct ScriptedBlueprint: TargetBlueprint {
    var settings: TargetSettings
    var destination: String { "memory:\(settings.name)" }

    init(_ name: String, _ adjust: (inout TargetSettings) -> Void = { _ in }) {
        settings = TargetSettings(name: name, type: "scripted")
        settings.start = .beginning
        settings.fingerprint = "1"
        settings.concurrency = 8
        adjust(&settings)
    }

    func make(_ context: TargetContext) throws -> any Target { ScriptedTarget() }
}

/// Which log an engine is tested on.
enum LogKind: String, CaseIterable, Sendable {
    case memory, embedded
}

/// A log, a state file and an engine in a folder of their own. The engine can be ended and begun again on the same files.
final class EngineHarness {
    let folder = TemporaryDirectory()
    let kind: LogKind
    private(set) var log: any EventLog & EventIndex
    private(set) var store: DeliveryStore
    private(set) var engine: DeliveryEngine!
    let metrics = MetricsRegistry()
    private let targets = Mutex<[String: ScriptedTarget]>([:])
    private var count: UInt64 = 0

    init(_ kind: LogKind = .memory) throws {
        self.kind = kind
        log = kind == .memory ? MemoryEventLog(partitions: 3) : try SQLiteEventLog.open(folder: folder.path)
        store = try DeliveryStore.open(folder: folder.path)
    }

    deinit {
        engine?.stop(within: .zero)
        (log as? SQLiteEventLog)?.close()
    }

    /// The target of that name, whether or not the engine has made it yet.
    func target(_ name: String) -> ScriptedTarget {
        targets.withLock { targets in
            if let known = targets[name] { return known }
            let made = ScriptedTarget()
            targets[name] = made
            return made
        }
    }

    func start(
        _ names: [String] = ["crm"], routes text: String? = nil, retention: DeliveryRetention = .init(),
        clock: @escaping @Sendable () -> Moment = { Moment.now() },
        adjust: @escaping @Sendable (inout TargetPolicy) -> Void = quickRetries
    ) throws {
        try start(names.map { ScriptedBlueprint($0) }, routes: text, retention: retention, clock: clock, adjust: adjust)
    }

    func start(
        _ blueprints: [ScriptedBlueprint], routes text: String? = nil, retention: DeliveryRetention = .init(),
        clock: @escaping @Sendable () -> Moment = { Moment.now() },
        adjust: @escaping @Sendable (inout TargetPolicy) -> Void = quickRetries
    ) throws {
        let made = Dictionary(uniqueKeysWithValues: blueprints.map { ($0.settings.name, target($0.settings.name)) })
        engine = try DeliveryEngine(
            log: log, store: store, plan: try plan(text, blueprints), blueprints: blueprints, metrics: metrics,
            logger: .silent, retention: retention, clock: clock, adjust: adjust
        ) { made[$0.settings.name] ?? ScriptedTarget() }
        try engine.start()
    }

    func plan(_ text: String?, _ blueprints: [ScriptedBlueprint]) throws -> RulePlan {
        let names = blueprints.map(\.settings.name)
        guard !names.isEmpty else { return .empty }
        return try rulePlan(
            text ?? "routes:\n  - {name: all, to: [\(names.joined(separator: ", "))]}\n", targets: names,
            conditions: blueprints.compactMap { blueprint in
                blueprint.settings.admission.map {
                    TargetConditions(target: blueprint.settings.name, onlyIf: $0.onlyIf, optOut: $0.optOut)
                }
            })
    }

    /// Ends the engine and opens the files again, as a new process would.
    func reopen(within limit: Duration = .seconds(5)) throws {
        engine.stop(within: limit)
        engine = nil
        if kind == .embedded {
            (log as? SQLiteEventLog)?.close()
            log = try SQLiteEventLog.open(folder: folder.path)
        }
        store = try DeliveryStore.open(folder: folder.path)
    }

    /// Appends these events and waits until they are durable.
    func append(_ records: [NewRecord]) async throws {
        let log = log
        _ = try await withCheckedThrowingContinuation { continuation in
            log.append(AppendBatch(records: records)) { continuation.resume(with: $0) }
        }
    }

    /// Appends events and waits until they are durable.
    /// - Parameter type: by the event's number, counted from 0.
    @discardableResult
    func append(_ amount: Int, type: (Int) -> String = { _ in "visitor.signin" }) async throws -> [EventID] {
        var records: [NewRecord] = []
        for index in 0..<amount {
            records.append(newRecord(count, type: type(index)))
            count += 1
        }
        let ids = records.map(\.id)
        let log = log
        _ = try await withCheckedThrowingContinuation { continuation in
            log.append(AppendBatch(records: records)) { continuation.resume(with: $0) }
        }
        return ids
    }

    var status: TargetStatus { engine.targets()[0] }

    func status(_ name: String) -> TargetStatus? { engine.targets().first { $0.name == name } }

    func idle(_ limit: Duration = .seconds(20)) -> Bool { engine.waitUntilIdle(within: limit) }
}

/// Tries follow each other at once, so that no test waits.
let quickRetries: @Sendable (inout TargetPolicy) -> Void = { policy in
    policy.retry.floorMs = 1
    policy.retry.baseMs = 2
    policy.retry.capMs = 20
}

func newRecord(_ number: UInt64, type: String = "visitor.signin", receivedAtMs: Int64? = nil) -> NewRecord {
    let id = EventID(high: 7, low: number)
    let payload =
        #"{"specversion":"1.0","id":"\#(id.hex)","source":"london","type":"\#(type)","partitionkey":"k\#(number % 7)","data":{"source":"london","site":{"id":"4567"},"visitor":{"name":"Ada \#(number)"}}}"#
    let now = Timestamp.now().milliseconds
    return NewRecord(
        id: id, type: type, partitionKey: Array("k\(number % 7)".utf8), timeMs: now, receivedAtMs: receivedAtMs ?? now,
        source: "london", payload: Array(payload.utf8))
}

func rulePlan(_ text: String, targets: [String], conditions: [TargetConditions] = []) throws -> RulePlan {
    var diagnostics = Diagnostics()
    var environment = RuleEnvironment(sources: ["london"], vendors: ["signinapp"], siteKeys: [], targets: targets)
    environment.targetConditions = conditions
    let files = RuleLoader.load(
        texts: [("routes.yaml", Array(text.utf8))], environment: environment, diagnostics: &diagnostics)
    if diagnostics.hasErrors { throw diagnostics }
    return files.plan
}

/// What an observer was told, in short.
final class Told: Sendable {
    private let content = Mutex<[String]>([])

    func hear(_ observation: DeliveryObservation) {
        let line =
            switch observation {
            case .taken(_, let target, let routes, let reasons): "taken \(target) \(routes) \(reasons)"
            case .filtered(let event): "filtered \(event.type)"
            case .refused(_, let target, let routes, let reason): "refused \(target) \(routes) \(reason.rawValue)"
            case .delivered(_, let target, _, _): "delivered \(target)"
            case .failed(_, let target, _, let failure): "failed \(target) \(failure.code)"
            case .buried(_, let target, let reason): "buried \(target) \(reason)"
            }
        content.withLock { $0.append(line) }
    }

    var lines: [String] { content.withLock { $0 } }
}

/// Counts the records that are read from the log behind it.
final class CountingLog: EventLog {
    private let log: any EventLog
    private let count = Atomic(0)

    init(_ log: any EventLog) {
        self.log = log
    }

    var recordsRead: Int { count.load(ordering: .relaxed) }

    func read(
        from position: LogPosition, maximumRecords: Int, maximumBytes: Int
    ) throws(LogFailure) -> LogBatch {
        let batch = try log.read(from: position, maximumRecords: maximumRecords, maximumBytes: maximumBytes)
        count.add(batch.records.count, ordering: .relaxed)
        return batch
    }

    var head: LogPosition { log.head }
    var beginning: LogPosition { log.beginning }
    func position(at timeMs: Int64) throws(LogFailure) -> LogPosition { try log.position(at: timeMs) }
    func count(from: LogPosition, to: LogPosition) -> Int64 { log.count(from: from, to: to) }
    func append(
        _ batch: AppendBatch, completion: @escaping @Sendable (Result<[AppendOutcome], LogFailure>) -> Void
    ) { log.append(batch, completion: completion) }
    func onAppend(_ callback: @escaping @Sendable () -> Void) { log.onAppend(callback) }
    func retain(from lowestUnfinished: @escaping @Sendable () -> LogPosition) { log.retain(from: lowestUnfinished) }
    func statistics() -> LogStatistics { log.statistics() }
}
