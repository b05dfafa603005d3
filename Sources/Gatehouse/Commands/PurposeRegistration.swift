internal import HTTPClient
internal import HTTPTypes
internal import JSON
internal import Simulator

/// The call that tells Envoy what an app is for, so that it asks the app about visitors
/// (`PUT /api/v2/plugin-services/installs/{id}/purpose`).
struct PurposeRegistration {
    static let purpose = "identity-verification"

    let install: String
    /// Without a slash at its end.
    let url: String
    let token: String
    let timeout: Duration

    struct Result {
        /// Nil where there was no answer.
        var status: Int?
        /// Nil when it is registered. May hold what Envoy says, up to a bound.
        var problem: String?
    }

    func run() -> Result {
        let client = HTTPClient(maximumConnections: 1)
        defer { client.shutdown() }
        let body = Array(#"{"purpose":"\#(Self.purpose)"}"#.utf8)
        let request = HTTPClientRequest(
            method: "PUT", url: "\(url)/api/v2/plugin-services/installs/\(install)/purpose",
            headers: [
                "Authorization": "Bearer \(token)", "Content-Type": "application/json", "Accept": "application/json",
            ], body: body, timeout: timeout, maximumResponseBytes: 4096)
        switch client.sendAndWait(request) {
        case .success(let response) where (200..<300).contains(response.status): return Result(status: response.status)
        case .success(let response):
            return Result(status: response.status, problem: problem(response.status) + said(response.body))
        case .failure(let failure):
            return Result(
                problem: failure.code == .timeout || failure.code == .connectTimeout
                    ? "Envoy did not answer in time (\(failure.message)); it may have registered it: try again"
                    : "Envoy could not be asked: \(failure.message)")
        }
    }

    private func problem(_ status: Int) -> String {
        switch status {
        case 300..<400: "\(url) sends elsewhere (\(status)), which is not followed: is --url right?"
        case 401, 403: "Envoy does not take the token (\(status)): is it an access token of this app, and still valid?"
        case 404:
            "Envoy knows no installation \(install) (404): `gatehouse envoy list` shows those that were set up; a newer "
                + "portal has \"Feature hooks\" instead, and needs no registration"
        case 429, 500...: "Envoy cannot do it now (\(status)): try again later"
        default: "Envoy refuses it (\(status))"
        }
    }

    /// What the answer's JSON says for people.
    private func said(_ body: [UInt8]) -> String {
        guard let tape = try? JSONParser().parse(body) else { return "" }
        for name in ["message", "error", "detail"] {
            if let text = tape.member(tape.root, named: name).flatMap({ tape.text($0) }), !text.isEmpty {
                return "; it says: " + text.prefix(300).replacing(token, with: "***")
            }
        }
        return ""
    }
}
