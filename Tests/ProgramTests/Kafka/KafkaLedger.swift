import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

/// A ledger outside of several instances that share a log: what was sent to which of them, how it was answered, what lies in
/// the topics, and what each target received from all of them together.
final class KafkaLedger: Sendable {
    /// A time in which something went wrong, and a receiver may get again what it had.
    private struct Fault {
        var name: String
        var from: ContinuousClock.Instant
        /// Nil while it lasts.
        var until: ContinuousClock.Instant?
    }

    static let targets = ["partner", "ordered", "siem", "archive"]

    let cluster: KafkaCluster
    let prefix: String
    let seed: UInt64
    let load: KafkaLoad
    let partner = KafkaReceipts()
    /// With `order: key`.
    let ordered = KafkaReceipts()
    let siem = Receipts()
    private let siemReceiver: Receiver
    private let faults = Mutex<[Fault]>([])
    private let known = Mutex<[KafkaInstance]>([])
    private let begun = ContinuousClock.now

    init(_ cluster: KafkaCluster, prefix: String, seed: UInt64, pauseMicroseconds: UInt32 = 30_000) throws {
        self.cluster = cluster
        self.prefix = prefix
        self.seed = seed
        load = KafkaLoad(seed: seed, pauseMicroseconds: pauseMicroseconds)
        siem.allowRepeats()
        siemReceiver = try Receiver { [siem] in SyslogConnection(siem) }
        say("seed \(seed)")
    }

    /// A further instance, not started yet. The load is aimed at all there are.
    func instance(_ name: String) throws -> KafkaInstance {
        let instance = try KafkaInstance(
            name, cluster, prefix: prefix,
            targets: """
                \(partner.target("partner"))
                \(ordered.target("ordered", "order: key, "))
                  siem: {type: syslog, address: "tcp://127.0.0.1:\(siemReceiver.port)", allow: [127.0.0.1/32], format: json, resend: off}
                \(Installation.archive)
                """,
            routes: """
                  - {name: everything, to: [archive, ordered]}
                  - {name: visitors, when: {event: visitor.*}, to: partner}
                  - {name: one-site, when: {any: [{site: 4567}, {event: session.created}]}, to: siem}
                """)
        load.aim(
            at: known.withLock { known in
                known.append(instance)
                return known
            })
        return instance
    }

    /// What the routes say, in the ledger's own words.
    static func takes(_ target: String, _ event: SentEvent.Canonical) -> Bool {
        switch target {
        case "partner": event.type.hasPrefix("visitor.")
        case "siem": event.site == "4567" || event.type == "session.created"
        default: true
        }
    }

    var instances: [KafkaInstance] { known.withLock { $0 } }

    func say(_ text: String) {
        print("ledger \(prefix), \((ContinuousClock.now - begun).components.seconds) s: \(text)")
    }

    // MARK: faults

    /// Does what is wrong, waits until all is well again, and has repeats be explained by it meanwhile.
    func during<Value>(_ name: String, _ body: () async throws -> Value) async throws -> Value {
        say(name)
        let number = faults.withLock { faults in
            faults.append(Fault(name: name, from: .now))
            return faults.count - 1
        }
        let value = try await body()
        try await settle(name)
        faults.withLock { $0[number].until = .now }
        say("\(name): over; \(load.summary); \(repeats.count) repeats so far")
        return value
    }

    /// Every instance is ready again, senders get on, and what was acknowledged until now has reached its targets.
    func settle(_ name: String) async throws {
        let areReady = try await eventually {
            for instance in instances {
                try expectAlive(instance, name)
                if let service = instance.service, try await service.console("/readyz").status != 200 { return false }
            }
            return true
        }
        try #require(areReady, "not ready after \(name), seed \(seed)")
        let count = load.acknowledgedCount
        let goesOn = await poll(deadline: patience) { load.acknowledgedCount > count + 50 }
        try #require(goesOn, "no more is acknowledged after \(name), seed \(seed): \(load.summary)")
        let acknowledged = Set(load.acknowledged.keys)
        let isDelivered = await poll(deadline: patience, every: .milliseconds(200)) {
            acknowledged.isSubset(of: ordered.ids)
        }
        let missing = acknowledged.subtracting(ordered.ids)
        try #require(isDelivered, "\(missing.count) events did not arrive after \(name), seed \(seed)")
        for instance in instances { try expectAlive(instance, name) }
    }

    private func expectAlive(_ instance: KafkaInstance, _ name: String) throws {
        guard let service = instance.service, let end = service.process.current else { return }
        let last = service.log.suffix(5)
        throw Failure("\(instance.name) ended by itself, \(end), after \(name), seed \(seed): \(last)")
    }

    /// Ends the load and every instance, whatever came of it.
    func end() {
        load.abandon()
        for instance in instances { instance.service?.process.signal(SIGKILL) }
    }

    /// At the two webhooks.
    var repeats: [KafkaReceipts.Repeat] { partner.repeats + ordered.repeats }

    /// Whether something was wrong between two receipts of one event, or at one of them.
    func isExplained(_ first: ContinuousClock.Instant, _ again: ContinuousClock.Instant) -> Bool {
        faults.withLock { faults in faults.contains { $0.from <= again && ($0.until ?? .now) >= first } }
    }

    var faultCount: Int { faults.withLock(\.count) }

    func ready(_ instance: KafkaInstance) async throws {
        try await instance.start()
        say("\(instance.name) is ready")
    }
}
