internal import Console
internal import HTTPClient
internal import HTTPTypes

/// The records of a running instance, asked for over its control socket.
final class RemoteRecords: RecordSource {
    private let client: ControlClient

    init(_ client: ControlClient) {
        self.client = client
    }

    private func answer(_ path: String) throws -> HTTPClientResponse {
        try client.send("GET", path, timeout: .seconds(60))
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
