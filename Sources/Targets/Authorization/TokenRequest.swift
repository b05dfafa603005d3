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
        var form = Form()
        form.append("grant_type", "client_credentials")
        if let scope { form.append("scope", scope) }
        if let audience { form.append("audience", audience) }
        for (name, value) in parameters { form.append(name, value) }
        var headers: HeaderFields = [
            "Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json",
            "User-Agent": "Gatehouse",
        ]
        switch credential {
        case .secretInHeader(let secret):
            let pair = "\(Form.encoded(clientID)):\(Form.encoded(secret))"
            headers.append("Authorization", "Basic \(Base64.encode(Array(pair.utf8)))")
        case .secretInBody(let secret):
            form.append("client_id", clientID)
            form.append("client_secret", secret)
        case .assertion(let assertion):
            form.append("client_id", clientID)
            form.append("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            form.append(
                "client_assertion",
                try assertion.token(
                    clientID: clientID, tokenURL: endpoint.url, identifier: Hex.encode(randomBytes(16)),
                    now: now.milliseconds / 1000))
        }
        return HTTPClientRequest(
            method: "POST", url: endpoint.url, headers: headers, body: Array(form.text.utf8), timeout: timeout,
            tls: tls, addressGuard: addressGuard, maximumResponseBytes: Self.maximumAnswer)
    }
}

/// `application/x-www-form-urlencoded`.
private struct Form {
    private(set) var text = ""

    mutating func append(_ name: String, _ value: String) {
        if !text.isEmpty { text += "&" }
        text += "\(Self.encoded(name))=\(Self.encoded(value))"
    }

    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2A, 0x2D, 0x2E, 0x5F:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            case 0x20: result += "+"
            default: result += "%" + Hex.encode([byte]).uppercased()
            }
        }
        return result
    }
}
