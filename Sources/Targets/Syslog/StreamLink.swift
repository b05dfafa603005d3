/// One persistent connection and the messages that wait for it, as a state machine without I/O: each step says what is to
/// be done.
///
/// A message that was handed to a connection is that connection's; one that waits for a connection fails when there is
/// none. Nothing is kept for later: what failed is sent again by the caller.
struct StreamLink<Stream: Sendable, Message: Sendable>: Sendable {
    enum State: Sendable {
        case idle
        case connecting([Message])
        case open(Stream)
        /// The connection broke, and what becomes of what it took is not settled.
        case broken
        case closed
    }

    enum SendAction: Sendable {
        /// Connect, under this number; the message waits.
        case connect(generation: Int)
        case wait
        case write(Stream, Message)
        case refuse(Message, Refusal)
    }

    enum Refusal: Sendable {
        case closed
        case broken
        case full
    }

    enum ConnectedAction: Sendable {
        case write(Stream, [Message])
        /// Nobody wants this connection any more.
        case discard(Stream)
    }

    private static var maximumWaiting: Int { 4096 }

    private(set) var state = State.idle
    /// Counts connections, so that a late word about an old one changes nothing.
    private(set) var generation = 0

    mutating func send(_ message: Message) -> SendAction {
        switch state {
        case .idle:
            generation += 1
            state = .connecting([message])
            return .connect(generation: generation)
        case .connecting(var waiting):
            guard waiting.count < Self.maximumWaiting else { return .refuse(message, .full) }
            state = .idle
            waiting.append(message)
            state = .connecting(waiting)
            return .wait
        case .open(let stream):
            return .write(stream, message)
        case .broken:
            return .refuse(message, .broken)
        case .closed:
            return .refuse(message, .closed)
        }
    }

    mutating func connected(_ stream: Stream, generation: Int) -> ConnectedAction {
        guard generation == self.generation, case .connecting(let waiting) = state else { return .discard(stream) }
        state = .open(stream)
        return .write(stream, waiting)
    }

    /// - Returns: the messages that waited in vain.
    mutating func failed(generation: Int) -> [Message] {
        guard generation == self.generation, case .connecting(let waiting) = state else { return [] }
        state = .idle
        return waiting
    }

    /// The connection broke: the next message asks for another one.
    /// - Parameter isHeld: not before `settle`.
    mutating func lost(generation: Int, isHeld: Bool = false) {
        guard generation == self.generation else { return }
        switch state {
        case .open: state = isHeld ? .broken : .idle
        case .idle, .connecting, .broken, .closed: break
        }
    }

    /// What becomes of what the broken connection took is settled.
    mutating func settle(generation: Int) {
        guard generation == self.generation, case .broken = state else { return }
        state = .idle
    }

    /// - Returns: the connection to close and the messages that waited for one.
    mutating func close() -> (stream: Stream?, waiting: [Message]) {
        defer { state = .closed }
        return switch state {
        case .idle, .broken, .closed: (nil, [])
        case .connecting(let waiting): (nil, waiting)
        case .open(let stream): (stream, [])
        }
    }
}

extension StreamLink.SendAction: Equatable where Stream: Equatable, Message: Equatable {}
extension StreamLink.ConnectedAction: Equatable where Stream: Equatable, Message: Equatable {}
