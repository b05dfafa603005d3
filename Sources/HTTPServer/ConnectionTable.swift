internal import Synchronization

/// The open connections of a server, by their descriptors.
final class ConnectionTable: Sendable {
    private let slots = Mutex<[Connection?]>([])

    var count: Int { slots.withLock { $0.reduce(0) { $0 + ($1 == nil ? 0 : 1) } } }

    func insert(_ connection: Connection, at descriptor: Int32) {
        slots.withLock {
            let missing = Int(descriptor) + 1 - $0.count
            if missing > 0 { $0.append(contentsOf: repeatElement(nil, count: max(missing, $0.count))) }
            $0[Int(descriptor)] = connection
        }
    }

    func connection(at descriptor: Int32) -> Connection? {
        slots.withLock { $0.indices.contains(Int(descriptor)) ? $0[Int(descriptor)] : nil }
    }

    func remove(_ connection: Connection, at descriptor: Int32) {
        slots.withLock {
            guard $0.indices.contains(Int(descriptor)), $0[Int(descriptor)] === connection else { return }
            $0[Int(descriptor)] = nil
        }
    }

    /// Every open connection, as of now.
    func all() -> [Connection] { slots.withLock { $0.compactMap { $0 } } }

    /// Connections whose time is over, with the mark they had when looked at.
    func overdue(_ deadlines: PhaseDeadlines, now: UInt64) -> [(Connection, PhaseMark)] {
        slots.withLock {
            $0.compactMap { connection in
                guard let connection else { return nil }
                let mark = connection.phaseMark
                return deadlines.isOver(mark, now: now) ? (connection, mark) : nil
            }
        }
    }

    /// Connections whose request will not be whole by the moment it must be.
    func late(now: UInt64, tick: UInt64) -> [(Connection, PhaseMark)] {
        slots.withLock {
            $0.compactMap { connection in
                guard let connection else { return nil }
                let mark = connection.phaseMark
                return connection.isLate(mark, now: now, tick: tick) ? (connection, mark) : nil
            }
        }
    }

    /// The first `count` connections to give way to new clients, in their order; and whether one of those that do not may
    /// do so soon, as it has only just begun.
    func givingWay(_ count: Int, now: UInt64) -> (candidates: [(Connection, PhaseMark)], isRoomSoon: Bool) {
        var isRoomSoon = false
        let candidates: [(UInt64, Connection, PhaseMark)] = slots.withLock {
            $0.compactMap { connection in
                guard let connection else { return nil }
                let mark = connection.phaseMark
                guard let order = mark.givesWay else { return nil }
                if mark.hasJustBegun(now: now) {
                    if !connection.isSurplus { isRoomSoon = true }
                    return nil
                }
                return (order, connection, mark)
            }
        }
        let first = count == 1 ? candidates.min { $0.0 < $1.0 }.map { [$0] } ?? [] : candidates.sorted { $0.0 < $1.0 }
        return (first.prefix(count).map { ($0.1, $0.2) }, isRoomSoon)
    }
}
