internal import Console
internal import Glibc
internal import HTTPClient
internal import HTTPTypes
internal import Simulator

/// The records of a running instance, asked for over its control socket.
final class RemoteRecords: RecordSource {
    private let client: HTTPClient
    let socket: String

    /// Nil when no instance answers for this data folder: a socket outlives one that was killed.
    init?(folder: String) {
        let socket = ControlSocket.path(in: folder)
        guard unsafe access(socket, R_OK | W_OK) == 0 else { return nil }
        self.socket = socket
        client = HTTPClient(maximumConnections: 1)
        guard case .success = client.sendAndWait(request("reconcile")) else {
            client.shutdown()
            return nil
        }
    }

    deinit {
        client.shutdown()
    }

    private func request(_ path: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(method: "GET", url: "http://gatehouse" + ListQuery.prefix + path)
        request.unixSocket = socket
        request.timeout = .seconds(60)
        request.maximumResponseBytes = 256 << 20
        return request
    }

    private func answer(_ path: String) throws -> HTTPClientResponse {
        switch client.sendAndWait(request(path)) {
        case .success(let response) where response.status == 200: return response
        case .success(let response): throw response.refusal
        case .failure(let failure): throw CommandFailure("the instance did not answer: \(failure.message)")
        }
    }

    func page(_ query: ListQuery, after cursor: String?) throws -> RecordPage {
        let response = try answer(String(query.url(after: cursor).dropFirst(ListQuery.prefix.count)))
        let lines = response.body.split(separator: 0x0A).map(Array.init)
        return RecordPage(lines: lines, next: response.headers[ControlHandler.nextHeader])
    }

    func reconcile() throws -> (json: [UInt8], isBalanced: Bool) {
        let response = try answer("reconcile")
        return (response.body, response.headers[ControlHandler.balancedHeader] == "true")
    }
}
