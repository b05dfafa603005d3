import EventLog
import Kafka
import KafkaLog
import Targets
import Testing

@testable import Delivery
@testable import KafkaDelivery

@Suite("A shard taken up from what is kept of it")
struct ShardLedgerTests {
    private typealias EventState = CrashingOwner.EventState

    /// What the next owner finds is what the last one knew, or a state before that nothing kept has gone beyond.
    private func check(_ kept: KeptShard, _ owner: CrashingOwner) throws -> [String] {
        var flaws: [String] = []
        let (shard, _) = try kept.ledger().restored(shard: 0, kept.commits, KeptShard.layout)
        let open = Set(shard.open.map(\.record.place))
        let dead = Set(shard.dead.map(\.place))
        if open.count != shard.open.count { flaws.append("an event is open twice") }
        if !open.isDisjoint(with: dead) { flaws.append("an event is open and dead: \(open.intersection(dead))") }
        for (partition, found) in shard.partitions {
            let past = (0..<found.position).map { RecordPlace(partition: partition, offset: $0) }
            let holes = Set(found.holes)
            let openPast = past.filter { open.contains($0) }
            if openPast.contains(where: { holes.contains($0.offset) }) { flaws.append("a hole is open") }
            let counters = found.counters
            let sum = counters.finished + counters.system + Int64(openPast.count + holes.count)
            if sum != found.position { flaws.append("\(partition): \(sum) of \(found.position) are accounted for") }
            guard !KeptShard.layout.isSystem(partition) else { continue }
            // What is in no topic any more ended as the owner knew last.
            func ended(_ states: Set<EventState>) -> Int64 {
                Int64(
                    past.count { place in
                        if open.contains(place) || holes.contains(place.offset) { return false }
                        return dead.contains(place) ? states.contains(.dead) : states.contains(owner[place])
                    })
            }
            let expected = [
                ended([.delivered]), ended([.filtered, .refused]), ended([.refused]), ended([.dead, .trimmed]),
                ended([.discarded]),
            ]
            let present = [
                counters.delivered, counters.filtered, counters.refused[.optedOut], counters.dead, counters.discarded,
            ]
            if expected != present { flaws.append("\(partition): counted \(present), not \(expected)") }
        }
        for (place, state) in shard.ahead {
            if shard.partitions[place.partition]!.position > place.offset { flaws.append("\(place) is not ahead") }
            if state == .pending, !open.contains(place) { flaws.append("\(place) is pending and not open") }
            if state == .refused(.optedOut), owner[place] != .refused { flaws.append("\(place) was never refused") }
            if state == .delivered, owner[place] != .delivered { flaws.append("\(place) was never delivered") }
        }
        for place in open where shard.partitions[place.partition]!.position <= place.offset {
            if shard.ahead[place] != .pending { flaws.append("\(place) would be taken twice") }
        }
        return flaws
    }

    @Test(
        "however often and wherever owners crash, every event is accounted for once, and no ending is forgotten",
        arguments: 1...100 as ClosedRange<UInt64>)
    func crashes(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var kept = KeptShard()
        var last: CrashingOwner?
        for life in 0..<6 {
            var owner = try CrashingOwner(kept, after: last)
            for _ in 0..<Int.random(in: 0...150, using: &random) {
                if random.chance(1, in: 3) { owner.work(&random) }
                if random.chance(1, in: 8) { owner.commit() }
                owner.keep(&kept, &random)
            }
            owner.crash(&kept, &random)
            let flaws = try check(kept, owner)
            #expect(flaws.isEmpty, "life \(life)")
            guard flaws.isEmpty else { return }
            last = owner
            guard random.chance(1, in: 2) else { continue }
            // The broker's cleaner comes long after somebody has taken over.
            var next = try CrashingOwner(kept, after: owner)
            next.finish(&kept)
            try kept.compact()
            let cleaned = try check(kept, next)
            #expect(cleaned.isEmpty, "life \(life), cleaned")
            guard cleaned.isEmpty else { return }
            last = next
        }
    }

    @Test(
        "after an orderly end the next owner knows exactly what the last one did",
        arguments: 1...100 as ClosedRange<UInt64>)
    func orderly(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var kept = KeptShard()
        var owner = try CrashingOwner(kept)
        for _ in 0..<150 {
            owner.work(&random)
            if random.chance(1, in: 5) { owner.commit() }
            owner.keep(&kept, &random)
        }
        owner.commit()
        owner.finish(&kept)
        let next = try CrashingOwner(kept, after: owner)
        #expect(next.positions == owner.positions && next.counters == owner.counters)
        for partition in KeptShard.partitions {
            for offset in 0..<owner.positions[partition]! {
                let place = RecordPlace(partition: partition, offset: offset)
                if [.hole, .open, .dead].contains(owner[place]) { #expect(next[place] == owner[place]) }
            }
        }
    }

    @Test("a commit without what belongs to it, as tools write it, begins the counters anew where it stands")
    func resetOffsets() throws {
        let layout = KeptShard.layout
        let place = layout.topicPartition(KeptShard.partitions[0])
        let choice = try CommitChoice(
            shard: 0, layout, committed: [place: .init(offset: 70, metadata: nil)], backup: [:], start: [:], nowMs: 5,
            StateDecoder(layout))
        #expect(choice.reset == [KeptShard.partitions[0]] && !choice.isNew)
        let commit = try #require(choice.commits[KeptShard.partitions[0]])
        #expect(commit.position == 70 && commit.metadata.start == 70)
    }

    @Test(
        "a new target begins where it is told, everywhere; a topic younger than the target begins with its first event")
    func starts() throws {
        let layout = KeptShard.layout
        let places = KeptShard.partitions.map(layout.topicPartition)
        let new = try CommitChoice(
            shard: 0, layout, committed: [:], backup: [:], start: [places[0]: 12, places[1]: 3], nowMs: 5,
            StateDecoder(layout))
        #expect(new.isNew && new.commits.count == layout.count)
        #expect(new.commits[KeptShard.partitions[0]]?.position == 12)
        #expect(new.commits[KeptShard.partitions[1]]?.metadata.start == 3)
        let text = CommitMetadata(start: 12, createdAtMs: 4).encoded(position: 20)
        let old = try CommitChoice(
            shard: 0, layout, committed: [places[0]: .init(offset: 20, metadata: text)], backup: [:],
            start: [places[1]: 3], nowMs: 5, StateDecoder(layout))
        #expect(!old.isNew && old.commits[KeptShard.partitions[0]]?.position == 20)
        #expect(old.commits[KeptShard.partitions[1]]?.position == 0)
        #expect(old.commits[KeptShard.partitions[1]]?.metadata.createdAtMs == 4)
    }

    @Test("where the group's commits are gone, those that were written down besides are taken")
    func backup() throws {
        let layout = KeptShard.layout
        let places = KeptShard.partitions.map(layout.topicPartition)
        let old = CommitMetadata(start: 1, createdAtMs: 4).encoded(position: 20)
        let new = CommitMetadata(start: 1, createdAtMs: 4).encoded(position: 30)
        let choice = try CommitChoice(
            shard: 0, layout, committed: [places[0]: .init(offset: 30, metadata: new)],
            backup: [places[0]: .init(offset: 20, metadata: old), places[1]: .init(offset: 20, metadata: old)],
            start: [:], nowMs: 5, StateDecoder(layout))
        #expect(choice.commits[KeptShard.partitions[0]]?.position == 30)
        #expect(choice.commits[KeptShard.partitions[1]]?.position == 20)
    }

    @Test("a commit that a newer version has written is not taken for none")
    func newerVersion() {
        let layout = KeptShard.layout
        let place = layout.topicPartition(KeptShard.partitions[0])
        #expect(throws: StateRecordError.self) {
            try CommitChoice(
                shard: 0, layout, committed: [place: .init(offset: 1, metadata: #"{"v":2}"#)], backup: [:], start: [:],
                nowMs: 1, StateDecoder(layout))
        }
    }
}
