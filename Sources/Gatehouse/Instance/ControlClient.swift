internal import Configuration
internal import Console
internal import HTTPClient
internal import HTTPTypes
internal import JSON
internal import Simulator

/// What an operator asks of the running instance, over its control socket.
final class ControlClient {
    private let client = HTTPClient(maximumConnections: 1)
    private let socket: String

    /// Nil when no instance answers for this data folder: a socket outlives one that was killed.
    init?(folder: String) {
        socket = ControlSocket.path(in: folder)
        guard RemoteRecords(socket: socket) != nil else { return nil }
    }

    deinit {
        client.shutdown()
    }

    /// - Parameter path: below the API's prefix, with its query.
    func send(
        _ method: String, _ path: String, timeout: Duration = .seconds(120)
    ) throws -> HTTPClientResponse {
        var request = HTTPClientRequest(method: method, url: "http://gatehouse" + ListQuery.prefix + path)
        request.headers.append(OperatorDesk.actorHeader, Machine.user)
        request.unixSocket = socket
        request.timeout = timeout
        request.maximumResponseBytes = 256 << 20
        switch client.sendAndWait(request) {
        case .success(let response) where response.status == 200: return response
        case .success(let response):
            let tape = try? JSONParser().parse(response.body)
            let detail = tape.flatMap { tape in
                (tape.member(tape.root, "detail") ?? tape.member(tape.root, "title")).flatMap { tape.text($0) }
            }
            throw CommandFailure(detail ?? "the instance answered \(response.status)")
        case .failure(let failure): throw CommandFailure("the instance did not answer: \(failure.message)")
        }
    }

    /// Does something.
    /// - Returns: to how many.
    func act(_ path: String) throws -> Int {
        let response = try send("POST", path)
        guard let tape = try? JSONParser().parse(response.body),
            let count = tape.member(tape.root, "done").flatMap({ tape.scalarText($0) }).flatMap({ Int($0) })
        else { throw CommandFailure("the instance's answer makes no sense") }
        return count
    }
}

extension Arguments {
    /// The running instance; what is to be done cannot be done without one.
    func runningInstance() throws -> ControlClient {
        let folder = try loadConfiguration(.checking).dataFolder
        guard let client = ControlClient(folder: folder) else {
            throw CommandFailure("no instance runs with \(folder): start it first")
        }
        return client
    }
}
