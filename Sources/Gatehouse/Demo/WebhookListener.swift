internal import Events
internal import HTTPServer
internal import HTTPTypes
internal import Signatures

/// An HTTP endpoint that takes JSON and, where it knows a key, verifies the signature it gets.
final class WebhookListener: HTTPHandler {
    private let verifier: SignatureVerifier?
    private let received: @Sendable (_ body: [UInt8], _ verdict: String?) -> Void

    /// - Parameter received: gets the verdict on the signature, nil where none is checked.
    init(verifier: SignatureVerifier? = nil, _ received: @escaping @Sendable ([UInt8], String?) -> Void) {
        self.verifier = verifier
        self.received = received
    }

    func receive(_ head: HTTPRequestHead) -> HTTPAdmission {
        .buffered(head, maximum: 1 << 20) { [self] body, exchange in
            guard let verifier else {
                received(body, nil)
                return exchange.respond(HTTPResponse(status: 204))
            }
            let result = unsafe body.withUnsafeBytes { bytes in
                unsafe verifier.verify(
                    headers: head.headers, url: head.target, body: bytes,
                    nowSeconds: Timestamp.now().milliseconds / 1000)
            }
            switch result {
            case .success:
                received(body, "signature verified")
                exchange.respond(HTTPResponse(status: 204))
            case .failure(let failure):
                received(body, "SIGNATURE REFUSED: \(failure.detail)")
                exchange.respond(HTTPResponse(status: 401))
            }
        }
    }
}
