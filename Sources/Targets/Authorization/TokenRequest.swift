import Cryptography
import Events
import HTTPClient
import HTTPTypes

extension OAuthSettings {
    /// Bytes of an answer of the token endpoint.
    private static let maximumAnswer = 64 << 10

    /// Asks for a token (RFC 6749, section 4.4.2).
    /// - Parameter now: an assertion has a time.
    func request(now: Timestamp) throws(CryptographyError) -> HTTPClientRequest {
        var form: [UInt8] = []
        func append(_ name: String, _ value: String) { FormEncoding.append(name, value.utf8, to: &form) }
        append("grant_type", "client_credentials")
        if let scope { append("scope", scope) }
        if let audience { append("audience", audience) }
        for (name, value) in parameters { append(name, value) }
        var headers: HeaderFields = [
            "Content-Type": FormBody.contentType, "Accept": "application/json",
            "User-Agent": "Gatehouse",
        ]
        switch credential {
        case .secretInHeader(let secret):
            let pair = "\(FormEncoding.encoded(clientID)):\(FormEncoding.encoded(secret))"
            headers.append("Authorization", "Basic \(Base64.encode(Array(pair.utf8)))")
        case .secretInBody(let secret):
            append("client_id", clientID)
            append("client_secret", secret)
        case .assertion(let assertion):
            append("client_id", clientID)
            append("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            append(
                "client_assertion",
                try assertion.token(
                    clientID: clientID, tokenURL: endpoint.url, identifier: Hex.encode(randomBytes(16)),
                    now: now.milliseconds / 1000))
        }
        return HTTPClientRequest(
            method: "POST", url: endpoint.url, headers: headers, body: form, timeout: timeout,
            tls: tls, addressGuard: addressGuard, maximumResponseBytes: Self.maximumAnswer)
    }
}
