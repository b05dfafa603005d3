package import Delivery
package import EventLog

/// A record of a retry or dead-letter topic as far as the accounts go, while it may not be in them yet.
package struct LaterRecord: Sendable, Hashable {
    package enum Change: Sendable, Hashable {
        /// It waits for another try.
        /// - wasDead: it was a dead letter before.
        case opened(wasDead: Bool)
        /// It left the open set.
        case closed(RecordEnding)
        /// It became a dead letter.
        case buried
        /// It is a dead letter no more.
        case unburied(RecordEnding)
    }

    package var stamp: RecordStamp
    package var place: RecordPlace
    package var change: Change

    package init(_ stamp: RecordStamp, _ place: RecordPlace, _ change: Change) {
        self.stamp = stamp
        self.place = place
        self.change = change
    }
}

/// One target's accounts in one partition of the log, of one moment, although its owner works on.
///
/// What is read of them is a commit and, read after it, records of the retry and dead-letter topics: all those that the commit
/// speaks of, and some later ones. With
///
///     s, p  where the target began, and the commit's position
///     H     its holes: offsets before p that are on their way
///     C     its counters, summed
///     S     its stamp: the effects of records up to it are in C
///     O     open rows of places before p, all records read being applied
///
/// every event before p was, at the commit, in exactly one of: before s, counted in C, in H, open by the records up to S. A
/// later record moves its event on, and is followed here in the order of the stamps:
///
///     an open row for a place in H          H - 1, O + 1
///     an open row for a dead letter         C.dead - 1, O + 1
///     an end of an open row                 O - 1, C.(how it ended) + 1 (taken back: as it was before)
///     a dead letter for a place in H        H - 1, C.dead + 1
///     a dead letter that is discarded       C.dead - 1, C.discarded + 1
///
/// and those of places at p or behind it count as nothing: the log's head minus p has them still. So at any moment
///
///     head = s + C + |H| + O + (head - p)
///
/// holds of each partition, whatever the head is, and summed over the partitions it is the balance of the target.
package struct PartitionAccounts: Sendable, Hashable {
    package private(set) var position: Int64
    package private(set) var holes: Set<Int64>
    package private(set) var counters: TargetCounters

    /// - Parameters:
    ///   - later: of this partition, with stamps beyond the commit's; each once.
    ///   - isSystem: its events are Gatehouse's own, which are counted apart.
    package init(
        position: Int64, holes: [Int64], counters: TargetCounters, later: some Collection<LaterRecord>, isSystem: Bool
    ) {
        self.position = position
        self.holes = Set(holes)
        self.counters = counters
        /// Dead letters that were holes: an end of theirs in the retry topic is no second one.
        var buried: Set<Int64> = []
        /// Open rows that were holes: one that is taken back is a hole again.
        var opened: Set<Int64> = []
        for record in later.sorted(by: { $0.stamp < $1.stamp }) where record.place.offset < position {
            let offset = record.place.offset
            switch record.change {
            case .opened(let wasDead):
                buried.remove(offset)
                if self.holes.remove(offset) != nil {
                    opened.insert(offset)
                } else if wasDead {
                    self.counters.count(.dead, isSystem: isSystem, by: -1)
                }
            case .buried:
                guard self.holes.remove(offset) != nil else { continue }
                buried.insert(offset)
                self.counters.count(.dead, isSystem: isSystem)
            case .closed(let ending):
                if ending == .mended, opened.remove(offset) != nil { self.holes.insert(offset) }
                guard let known = ending.state, !(ending == .dead && buried.contains(offset)) else { continue }
                self.holes.remove(offset)
                self.counters.count(known, isSystem: isSystem)
            case .unburied(let ending):
                guard ending == .discarded else { continue }
                self.counters.count(.dead, isSystem: isSystem, by: -1)
                self.counters.count(.discarded, isSystem: isSystem)
            }
        }
    }
}
