internal import Delivery
internal import JSON

/// Deliveries of one event with every attempt.
struct DeliveryDetail: Sendable {
    let store: DeliveryStore
    let history: RequestHistory

    /// - Parameters:
    ///   - rows: of one event.
    ///   - hidesBatches: what went together with other events is left out.
    func lines(_ rows: [DeliveryRow], hidesBatches: Bool) throws -> [[UInt8]] {
        guard let place = rows.first?.place else { return [] }
        let attempts = try store.attempts(at: place)
        return try rows.map { row in
            var writer = JSONWriter()
            try row.appendJSON(
                to: &writer, attempts[row.targetID] ?? [], .whole(history, hidesBatches: hidesBatches))
            return writer.bytes
        }
    }
}
