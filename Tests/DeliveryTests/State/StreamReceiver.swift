import EventLog
import Targets

@testable import Delivery

/// What stands behind a connection without acknowledgements: a buffer of the system's, and a program that reads it. Of a
/// connection that breaks nobody reads the rest.
struct StreamReceiver {
    /// Events a buffer holds.
    var capacity: Int
    /// Events that break the connection when they are read.
    var poison: Set<Int64> = []
    private(set) var number = 1
    private(set) var read: [Int64] = []
    private var buffer: [Int64] = []

    var connection: StreamConnection { StreamConnection(sink: 1, number: number) }

    init(capacity: Int = 10) {
        self.capacity = capacity
    }

    /// Takes an event over the present connection.
    /// - Returns: false when that broke it.
    mutating func take(_ event: Int64) -> Bool {
        buffer.append(event)
        return buffer.count <= capacity || readOne()
    }

    mutating func readOne() -> Bool {
        guard !buffer.isEmpty else { return true }
        let event = buffer.removeFirst()
        guard !poison.contains(event) else {
            close()
            return false
        }
        read.append(event)
        return true
    }

    /// - Returns: false when that broke the connection.
    mutating func readAll() -> Bool {
        while !buffer.isEmpty { if !readOne() { return false } }
        return true
    }

    /// The connection breaks; the next one has another number.
    mutating func close() {
        buffer = []
        number += 1
    }
}

func sent(_ connection: StreamConnection, bytes: Int = 10) -> DeliveryOutcome {
    var receipt = DeliveryReceipt(duration: .milliseconds(1), bytes: bytes)
    receipt.connection = connection
    return .delivered(receipt)
}

extension TargetDriver {
    /// Sends what there is to a stream's receiver, until nothing is left to do now.
    mutating func stream(to receiver: inout StreamReceiver) {
        while true {
            let batch = attempts()
            if batch.isEmpty { return }
            var isBroken = false
            for attempt in batch {
                if isBroken {
                    finish(attempt, failure("connection_closed", .target))
                    continue
                }
                let connection = receiver.connection
                let isOpen = receiver.take(attempt.place.offset)
                finish(attempt, sent(connection))
                if !isOpen {
                    _ = state.lost(connection, code: "connection_closed", now)
                    isBroken = true
                }
            }
        }
    }

    /// The same with the receiver reading at leisure and the connection found healthy every second, for so long.
    mutating func stream(to receiver: inout StreamReceiver, forMs limit: Int64) {
        let end = now.monotonicMs + limit
        while now.monotonicMs < end {
            stream(to: &receiver)
            let connection = receiver.connection
            if receiver.readAll() {
                state.healthy(connection, now)
            } else {
                _ = state.lost(connection, code: "connection_closed", now)
            }
            stream(to: &receiver)
            let wake = state.wakeMs(now) ?? end
            advance(max(1, min(1000, wake - now.monotonicMs)))
        }
    }

    mutating func lose(_ receiver: inout StreamReceiver) {
        let connection = receiver.connection
        receiver.close()
        _ = state.lost(connection, code: "connection_closed", now)
    }
}
