/// The virtual clock, and what is to happen at which of its moments. What falls on one moment happens in the order it was
/// asked for.
final class Scheduler {
    private struct Entry {
        let time: Int64
        let serial: UInt64
        let action: () -> Void
    }

    /// Nanoseconds since the simulation began.
    private(set) var now: Int64 = 0
    private var heap: [Entry] = []
    private var serial: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }

    /// - Parameter delay: nanoseconds; what lies in the past happens now.
    func after(_ delay: Int64, _ action: @escaping () -> Void) {
        serial += 1
        heap.append(Entry(time: now + max(0, delay), serial: serial, action: action))
        var child = heap.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Forgets what was to happen.
    func removeAll() { heap = [] }

    /// - Returns: false when there is nothing left to do.
    func step() -> Bool {
        guard let entry = heap.first else { return false }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        sink()
        now = max(now, entry.time)
        entry.action()
        return true
    }

    private func sink() {
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { return }
            let least = left + 1 < heap.count && isBefore(left + 1, left) ? left + 1 : left
            guard isBefore(least, parent) else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    private func isBefore(_ one: Int, _ other: Int) -> Bool {
        (heap[one].time, heap[one].serial) < (heap[other].time, heap[other].serial)
    }
}

extension Int64 {
    static func milliseconds(_ count: Int) -> Int64 { Int64(count) * 1_000_000 }
    static func seconds(_ count: Int) -> Int64 { Int64(count) * 1_000_000_000 }
}
