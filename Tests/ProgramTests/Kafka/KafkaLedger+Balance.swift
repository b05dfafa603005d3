import Foundation
import TestSupport
import Testing

extension KafkaLedger {
    /// What a fault may have a receiver get again at most: what was in flight and what was not committed yet.
    static let mostRepeatsPerFault = 2000

    /// Has every sender finish and every target get what is due to it, stops all instances in turn, and compares all of it.
    func finish() async throws {
        #expect(try await load.stop(), "the senders did not get their last events acknowledged")
        #expect(load.problems == [])
        let running = instances.filter { $0.service != nil }
        let last = try #require(running.last)
        var balance: [String: Any] = [:]
        let isDone = try await eventually {
            balance = try await expectBalance(last, "running")
            return Self.targets.allSatisfy { JSON.value(balance, "targets", $0, "pending") as? Int == 0 }
        }
        #expect(isDone, "deliveries did not finish: \(balance)")
        for instance in running {
            #expect(
                Self.shared(try await expectBalance(instance, "running")) == Self.shared(balance), "\(instance.name)")
        }
        for instance in running {
            let end = await instance.stop()
            #expect(end == .exited(0), "\(instance.name), seed \(seed)")
        }
        #expect(Self.shared(try await expectBalance(last, "stopped")) == Self.shared(balance), "stopped")
        let events = try await expectTopics()
        try expectTargets(events, balance)
        expectRepeats()
        report(events, balance)
    }

    @discardableResult
    func expectBalance(_ instance: KafkaInstance, _ when: String) async throws -> [String: Any] {
        let outcome = try await instance.installation.gatehouse("reconcile", "--json")
        #expect(outcome.status == 0, "\(instance.name), \(when), seed \(seed): \(outcome)")
        let balance = try JSON.object(outcome.output)
        #expect(balance["balanced"] as? Bool == true, "\(instance.name), \(when), seed \(seed): \(outcome)")
        return balance
    }

    /// What is the same whichever instance is asked: repeats are counted by the instance that saw them.
    private static func shared(_ balance: [String: Any]) -> NSDictionary {
        balance.filter { ["accepted", "targets"].contains($0.key) } as NSDictionary
    }

    /// What lies in Kafka: everything that was acknowledged, nothing that was not sent, each in the topic of its type.
    /// - Returns: the first record of every event.
    private func expectTopics() async throws -> [String: KafkaTopics.Event] {
        var events: [String: KafkaTopics.Event] = [:]
        for event in try await KafkaTopics(cluster, prefix: prefix).events() {
            #expect(event.topic == "\(prefix).\(event.type)", "seed \(seed)")
            guard let first = events[event.id] else {
                events[event.id] = event
                continue
            }
            #expect(first.topic == event.topic && first.partition == event.partition, "\(event.id), seed \(seed)")
        }
        let acknowledged = load.acknowledged
        let lost = acknowledged.filter { events[$0.key] == nil }
        #expect(lost.isEmpty, "acknowledged and lost, seed \(seed): \(lost.values.prefix(5))")
        let changed = acknowledged.values.filter { $0.event.type != events[$0.event.id]?.type }
        #expect(changed.isEmpty, "kept as another type, seed \(seed): \(changed.prefix(5))")
        #expect(Set(events.keys).subtracting(load.sent).isEmpty, "kept and never sent, seed \(seed)")
        expectIntakeOrder(events)
        return events
    }

    /// What one sender had acknowledged by one instance at the first try lies in Kafka in that order, by key and type.
    private func expectIntakeOrder(_ events: [String: KafkaTopics.Event]) {
        struct Series: Hashable {
            var sender: Int
            var instance: String
            var topic: String
            var key: String?
        }
        var last: [Series: (place: Int, id: String)] = [:]
        let sent = load.acknowledged.values.filter(\.isFirstTry).sorted { $0.sequence < $1.sequence }
        for each in sent {
            guard let event = events[each.event.id] else { continue }
            let series = Series(
                sender: each.sender, instance: each.instance, topic: event.topic, key: event.record.key)
            if let before = last[series] {
                #expect(
                    before.place < event.place,
                    "\(before.id) lies behind \(event.id), sent later: \(series), seed \(seed)")
            }
            last[series] = (event.place, event.id)
        }
    }

    private func expectTargets(_ events: [String: KafkaTopics.Event], _ balance: [String: Any]) throws {
        #expect(partner.problems == [])
        #expect(ordered.problems == [])
        #expect(siem.snapshot.problems == [])
        let received = [
            "partner": partner.ids, "ordered": ordered.ids, "siem": Set(siem.snapshot.counts.keys),
            "archive": Set(try instances.flatMap { try $0.installation.archivedIDs }),
        ]
        // What a fault had written twice stands in Kafka twice, and no target is sent it twice for that.
        let twice = try #require(balance["accepted"] as? Int) - events.count
        #expect(twice == 0 || (twice > 0 && faultCount > 0), "\(twice) too many, seed \(seed)")
        for target in Self.targets {
            #expect(
                JSON.value(balance, "targets", target, "repeated") as? Int == twice, "\(target), seed \(seed)")
            let due = Set(events.values.filter { Self.takes(target, $0.canonical) }.map(\.id))
            let ids = received[target] ?? []
            #expect(due.subtracting(ids).isEmpty, "\(target) did not get \(due.subtracting(ids).count), seed \(seed)")
            #expect(ids.subtracting(due).isEmpty, "\(target) got what is not its own, seed \(seed)")
            #expect(JSON.value(balance, "targets", target, "delivered") as? Int == due.count, "\(target), seed \(seed)")
            #expect(
                JSON.value(balance, "targets", target, "filtered") as? Int == events.count - due.count,
                "\(target), seed \(seed)")
            for state in ["dead", "discarded", "expired"] {
                #expect(JSON.value(balance, "targets", target, state) as? Int == 0, "\(target) \(state), seed \(seed)")
            }
        }
        expectDeliveryOrder(events)
    }

    /// By key and type the target with `order: key` got its events first in the order in which they lie in Kafka.
    private func expectDeliveryOrder(_ events: [String: KafkaTopics.Event]) {
        struct Series: Hashable {
            var type: String
            var key: String
        }
        var last: [Series: (place: Int, id: String)] = [:]
        for receipt in ordered.firsts {
            guard let event = events[receipt.id] else { continue }
            #expect(event.record.key == receipt.key)
            let series = Series(type: receipt.type, key: receipt.key)
            if let before = last[series] {
                #expect(
                    before.place < event.place, "\(before.id) came before \(receipt.id): \(series), seed \(seed)")
            }
            last[series] = (event.place, receipt.id)
        }
    }

    private func expectRepeats() {
        let repeats = repeats
        let unexplained = repeats.filter { !isExplained($0.first.at, $0.again.at) }
        #expect(
            unexplained.isEmpty,
            "\(unexplained.count) came again without a fault, seed \(seed): \(unexplained.prefix(3))")
        #expect(repeats.count <= faultCount * Self.mostRepeatsPerFault, "seed \(seed)")
    }

    private func report(_ events: [String: KafkaTopics.Event], _ balance: [String: Any]) {
        let bySender = Dictionary(grouping: load.acknowledged.values, by: \.instance).mapValues(\.count)
        let shares = bySender.sorted { $0.key < $1.key }.map { "\($0.key) took \($0.value)" }
        say(
            "seed \(seed): \(load.summary); \(events.count) events in Kafka; \(shares.joined(separator: ", ")); repeats "
                + "at partner and ordered: \(repeats.count) over \(faultCount) faults; \(balance)")
    }
}

extension KafkaTopics.Event {
    /// What the routes look at.
    var canonical: SentEvent.Canonical {
        let data = try? JSON.object(record.value)
        return SentEvent.Canonical(id: id, type: type, site: JSON.value(data, "site", "id") as? String)
    }
}
