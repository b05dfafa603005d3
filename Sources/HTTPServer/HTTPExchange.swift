package import HTTPTypes
internal import Synchronization

/// One request whose body is complete, waiting for its answer.
package final class HTTPExchange: Sendable {
    private let connection: Connection
    private let serial: UInt64
    private let isAnswered = Atomic(false)

    init(connection: Connection, serial: UInt64) {
        self.connection = connection
        self.serial = serial
    }

    /// Answers, from any thread. Only the first answer counts. It never waits for the network.
    package func respond(_ response: HTTPResponse) {
        guard !isAnswered.exchange(true, ordering: .relaxed) else { return }
        connection.answer(response, serial: serial)
    }

    deinit {
        // An exchange that nobody can answer any more would hold its client forever.
        if !isAnswered.load(ordering: .relaxed) {
            connection.answer(Refusal.unanswered.response, serial: serial)
        }
    }
}
