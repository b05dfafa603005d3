internal import Configuration
internal import Console
internal import Delivery
internal import Glibc
internal import HTTPClient
internal import HTTPTypes
internal import JSON
internal import Simulator

/// What an operator asks of the running instance, over its control socket.
final class ControlClient: Sendable {
    private let client = HTTPClient(maximumConnections: 1)
    private let socket: String

    /// Nil when no instance answers for this data folder: a socket outlives one that was killed.
    init?(folder: String) {
        socket = ControlSocket.path(in: folder)
        guard unsafe access(socket, R_OK | W_OK) == 0,
            case .success = client.sendAndWait(request("GET", "reconcile", timeout: .seconds(60)))
        else { return nil }
    }

    deinit {
        client.shutdown()
    }

    private func request(_ method: String, _ path: String, timeout: Duration) -> HTTPClientRequest {
        var request = HTTPClientRequest(method: method, url: "http://gatehouse" + ListQuery.prefix + path)
        request.headers.append(OperatorDesk.actorHeader, Machine.user)
        request.unixSocket = socket
        request.timeout = timeout
        request.maximumResponseBytes = 256 << 20
        return request
    }

    /// - Parameter path: below the API's prefix, with its query.
    func send(
        _ method: String, _ path: String, timeout: Duration = .seconds(120)
    ) throws -> HTTPClientResponse {
        switch client.sendAndWait(request(method, path, timeout: timeout)) {
        case .success(let response) where response.status == 200: return response
        case .success(let response): throw response.refusal
        case .failure(let failure): throw CommandFailure("the instance did not answer: \(failure.message)")
        }
    }

    /// Does something.
    /// - Returns: to how many.
    func act(_ path: String) throws -> Int { try decide(path).done }

    /// Decides about dead letters.
    func decide(_ path: String) throws -> DeadLetterDecision {
        let response = try send("POST", path)
        let tape = try? JSONParser().parse(response.body)
        func count(_ name: StaticString) -> Int? {
            tape.flatMap { tape in tape.member(tape.root, name).flatMap { tape.scalarText($0) } }.flatMap { Int($0) }
        }
        guard let done = count("done") else { throw CommandFailure("the instance's answer makes no sense") }
        return DeadLetterDecision(done: done, waiting: count("waiting") ?? 0, kept: count("kept") ?? 0)
    }
}

extension HTTPClientResponse {
    /// Of an instance that did not do what was asked: why, in its words.
    var refusal: CommandFailure {
        let tape = try? JSONParser().parse(body)
        let detail = tape.flatMap { tape in
            (tape.member(tape.root, "detail") ?? tape.member(tape.root, "title")).flatMap { tape.text($0) }
        }
        return CommandFailure(
            detail ?? "the instance answered \(status)", code: status == 400 ? ExitCode.usage : ExitCode.failed)
    }
}
