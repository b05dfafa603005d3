import Addresses
import Foundation
import Kafka
import KafkaLog
import Logging
import Metrics
import Synchronization
import TestSupport

@testable import Delivery
@testable import EventLog
@testable import Events
@testable import KafkaDelivery

/// One broker for all tests of keepers.
enum KeeperCluster {
    static func cluster() throws -> KafkaCluster { try .common() }
}

/// The log's topics, under a prefix of a test's own.
final class KeptLog: Sendable {
    let options: KafkaLogOptions
    let log: KafkaEventLog

    static let partitions = 4

    init(types: Set<CanonicalType> = [.visitorSignin]) throws {
        let kafka = KafkaConfiguration(brokers: try KeeperCluster.cluster().servers, clientID: "writer")
        let options = KafkaLogOptions(
            kafka: kafka, prefix: "t\(UUID().uuidString.prefix(8).lowercased())", partitions: Self.partitions,
            spools: false, types: types, spoolFolder: TemporaryDirectory().path)
        self.options = options
        log = try KafkaEventLog.open(options, logger: .silent)
    }

    deinit { log.close(within: .zero) }

    var layout: LogLayout { options.layout }

    /// A partition of the log of this shard.
    func partition(_ shard: Int) -> Int32 { layout.index(.visitorSignin, shard: shard) }

    /// Puts so many records into each of the log's partitions of sign-ins.
    func fill(_ count: Int) throws {
        let producer = try KafkaProducer(options.kafka, timeout: .seconds(30))
        defer { producer.close(within: .seconds(5)) }
        for shard in 0..<Self.partitions {
            for _ in 0..<count {
                producer.send(
                    KafkaRecord(
                        topic: layout.topic(.visitorSignin), partition: Int32(shard), key: [1], value: Array("{}".utf8))
                ) { _ in }
            }
        }
        guard producer.flush(within: .seconds(60)) else { throw KafkaFailure(code: "test", message: "not published") }
    }

    func keeper(_ name: String, _ logger: Logger = .silent) throws -> KafkaStateKeeper {
        var options = options
        options.kafka.clientID = name
        return try KafkaStateKeeper(options, log: log, logger: logger, metrics: MetricsRegistry())
    }
}

/// Stands for an engine: takes what it is given, and gives back what it is asked for.
final class FollowingEngine: Sendable {
    private struct State {
        var shards: [Int: RestoredShard] = [:]
        var standing: (isPaused: Bool, disabledReason: String?)?
        var lost: Set<Int> = []
        var isSlow = false
    }

    let keeper: KafkaStateKeeper
    let target: String
    private let state = Mutex(State())
    private let changed = Condition()

    init(_ keeper: KafkaStateKeeper, _ target: KeptTarget) {
        self.keeper = keeper
        self.target = target.name
        keeper.onChange { [weak self] in self?.wake() }
        keeper.join(target)
    }

    private let queue = DispatchQueue(label: "engine")
    private func wake() { queue.async { [weak self] in self?.follow() } }

    private func follow() {
        for change in keeper.changes(of: target) {
            switch change {
            case .assigned(let shard): state.withLock { $0.shards[shard.shard] = shard }
            case .revoked(let shards, _):
                state.withLock { state in
                    for shard in shards { state.shards[shard] = nil }
                }
                keeper.release(shards, of: target)
            case .lost(let shards):
                state.withLock { state in
                    for shard in shards { state.shards[shard] = nil }
                    state.lost.formUnion(shards)
                }
            case .standing(let isPaused, let reason): state.withLock { $0.standing = (isPaused, reason) }
            }
        }
        changed.broadcast()
    }

    var shards: [Int: RestoredShard] { state.withLock { $0.shards } }
    var standing: (isPaused: Bool, disabledReason: String?)? { state.withLock { $0.standing } }

    /// - Returns: false after a time that only a hang takes.
    func wait(until holds: (FollowingEngine) -> Bool) -> Bool {
        changed.wait(within: .seconds(60)) { holds(self) }
    }

    func has(_ count: Int) -> Bool { wait { $0.shards.count == count } }
}

/// What an engine commits.
enum KeptSamples {
    static func entry(_ place: RecordPlace) -> OpenEntry {
        OpenEntry(
            place: place, id: EventID(high: UInt64(place.partition) + 1, low: UInt64(place.offset)),
            type: "visitor.signin", source: "s", receivedAtMs: 7, routes: RouteSet(id: 3, names: ["r1", "r\u{e9}"]),
            tries: 2, counted: 1, firstTried: Moment(monotonicMs: 0, wallMs: 11), dueMs: 0, reason: "http_500",
            key: 99)
    }

    static func letter(_ place: RecordPlace, _ payload: [UInt8]) -> DeadLetter {
        let entry = entry(place)
        return DeadLetter(
            place: place, id: entry.id, type: entry.type, source: entry.source, receivedAtMs: 7,
            routes: entry.routes, atMs: 13, reason: "http_400", attempts: 5, status: 400, message: "no",
            response: Array("bad".utf8), payload: .text(payload))
    }

    static func history(_ place: RecordPlace, _ state: DeliveryState) -> HistoryEntry {
        let entry = entry(place)
        return HistoryEntry(
            place: place, id: entry.id, type: entry.type, source: entry.source, receivedAtMs: 7, state: state,
            attempts: 1, atMs: 17, durationMs: 3, routes: entry.routes)
    }

    static func change(
        _ target: String, _ partitions: [Int32: RestoredShard.Partition], _ operations: [StateOperation] = [],
        paused: Bool? = nil, count: Int
    ) -> KeptChange {
        var cursor = TargetCursor(position: .none(count: count))
        cursor.isPaused = paused ?? false
        return KeptChange(
            target: target, change: TargetChange(cursor: cursor, operations: operations),
            hasNewStanding: paused != nil, partitions: partitions)
    }
}
