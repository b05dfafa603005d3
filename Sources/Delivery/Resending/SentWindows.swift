internal import EventLog
internal import Targets

/// What connections that acknowledge nothing took last, by connection: each of these events is unfinished until enough
/// newer ones followed it, or the connection stood long enough after it.
struct SentWindows: Sendable {
    struct Sent: Sendable {
        var place: RecordPlace
        /// The number of the request, which tells it from other times the same event was sent.
        var request: UInt64
        var receipt: DeliveryReceipt
        /// The monotonic clock.
        var atMs: Int64
        /// The wall clock.
        var wallMs: Int64
    }

    private struct Window: Sendable {
        var items: [Sent] = []
        /// The first that is still unfinished.
        var start = 0
        var bytes = 0

        var count: Int { items.count - start }
        var first: Sent? { start < items.count ? items[start] : nil }

        mutating func append(_ sent: Sent) {
            items.append(sent)
            bytes += sent.receipt.bytes
        }

        mutating func removeFirst() {
            bytes -= items[start].receipt.bytes
            start += 1
            if start >= 1024, start * 2 >= items.count {
                items.removeFirst(start)
                start = 0
            }
        }
    }

    private var windows: [StreamConnection: Window] = [:]
    /// No connection up to this one has a window any more.
    private var newestEnded: StreamConnection?

    var connections: [StreamConnection] { Array(windows.keys) }
    var isEmpty: Bool { windows.isEmpty }

    /// - Returns: false when the connection has ended already.
    mutating func append(_ sent: Sent, to connection: StreamConnection) -> Bool {
        if windows[connection] == nil, let newestEnded, connection <= newestEnded { return false }
        windows[connection, default: Window()].append(sent)
        return true
    }

    /// The oldest of a connection, where newer ones have pushed it out.
    mutating func takePushedOut(of connection: StreamConnection, _ limits: ResendLimits) -> Sent? {
        guard let window = windows[connection], let first = window.first,
            window.count > limits.messages || (window.bytes > limits.bytes && window.count > 1)
        else { return nil }
        windows[connection]?.removeFirst()
        return first
    }

    /// The oldest of a connection, where it was sent at or before this moment of the monotonic clock.
    mutating func take(of connection: StreamConnection, sentBy limitMs: Int64) -> Sent? {
        guard let first = windows[connection]?.first, first.atMs <= limitMs else { return nil }
        windows[connection]?.removeFirst()
        return first
    }

    /// The oldest of a connection that is unfinished.
    func oldest(of connection: StreamConnection) -> Sent? { windows[connection]?.first }

    /// The connection is no more.
    /// - Returns: what it took last, oldest first.
    mutating func end(_ connection: StreamConnection) -> [Sent] {
        newestEnded = newestEnded.map { max($0, connection) } ?? connection
        guard let window = windows.removeValue(forKey: connection) else { return [] }
        return Array(window.items[window.start...])
    }
}
