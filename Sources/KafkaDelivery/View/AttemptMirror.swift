internal import Delivery
internal import Targets

/// Makes history's rows of the attempts topic's records. The events of one request may stand in several partitions, and only
/// one of their records has the request: the others wait for it.
struct AttemptMirror {
    typealias Owned = (owner: MirrorOwner, operations: [StateOperation])

    /// Requests of batches remembered; the oldest are forgotten.
    private static let maximumBatches = 1000
    /// Records that wait for their batch's request.
    private static let maximumHeld = 10_000

    /// The configuration of a hash; nil where it is not known any more.
    typealias Version = (_ hash: String) -> TargetVersion?

    private let routeSet: (_ names: [String]) -> RouteSet
    private var batches: [String: RequestedBatch] = [:]
    private var order: [String] = []
    private var held: [AttemptRecord] = []

    /// - Parameter routeSet: the store's row of these names.
    init(routeSet: @escaping ([String]) -> RouteSet) {
        self.routeSet = routeSet
    }

    var isHolding: Bool { !held.isEmpty }

    /// - Returns: what can be written now, in order.
    mutating func take(_ record: AttemptRecord, _ version: Version) -> [Owned] {
        guard let batch = record.batch else { return [operation(record, nil, version)] }
        if let request = record.request, let members = request.members, batches[batch] == nil {
            remember(RequestedBatch(members, request.exchange(request.version.flatMap(version))), batch)
            let waiting = held.filter { $0.batch == batch }
            held.removeAll { $0.batch == batch }
            return (waiting + [record]).map { operation($0, batches[batch], version) }
        }
        guard let request = batches[batch] else {
            held.append(record)
            return held.count > Self.maximumHeld ? [operation(held.removeFirst(), nil, version)] : []
        }
        return [operation(record, request, version)]
    }

    /// Those whose request did not come.
    mutating func giveUpWaiting(_ version: Version) -> [Owned] {
        defer { held = [] }
        return held.map { operation($0, nil, version) }
    }

    private mutating func remember(_ request: RequestedBatch, _ batch: String) {
        if order.count == Self.maximumBatches { batches[order.removeFirst()] = nil }
        order.append(batch)
        batches[batch] = request
    }

    private func operation(_ record: AttemptRecord, _ batch: RequestedBatch?, _ version: Version) -> Owned {
        var entry = record.entry
        entry.routes = routeSet(entry.routes.names)
        if let batch {
            entry.batch = batch
        } else if record.batch == nil {
            entry.exchange = record.request?.exchange(record.request?.version.flatMap(version))
        }
        return (record.replay.map { .replay($0) } ?? .target(record.target), [.record(entry)])
    }
}
