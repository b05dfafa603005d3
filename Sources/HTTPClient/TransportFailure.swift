/// Why something could not be sent, or got no proper answer.
package struct TransportFailure: Error, Sendable, Hashable {
    /// Stable: the raw values are what people see and what their scripts rely on.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// The guard refuses the address.
        case addressRefused = "address_refused"
        /// The name has no address, or the look-up took too long.
        case dns
        case connectRefused = "connect_refused"
        /// The connection or the TLS handshake took too long.
        case connectTimeout = "connect_timeout"
        /// No route, an unreachable network, no such Unix socket.
        case connectFailed = "connect_failed"
        /// The whole took too long.
        case timeout
        case tlsUntrusted = "tls_untrusted"
        case tlsName = "tls_name"
        case tlsExpired = "tls_expired"
        case tlsPin = "tls_pin"
        /// Our own certificate, key or file of authorities cannot be used.
        case tlsCredentials = "tls_credentials"
        /// The other end wants a certificate of ours, or does not take the one it was shown.
        case tlsRefused = "tls_refused"
        /// Any other failure of TLS.
        case tls
        /// The other end closed or reset the connection before the answer was whole. It may have acted on the request.
        case connectionClosed = "connection_closed"
        case malformedResponse = "malformed_response"
        case proxy
        case url
        /// The request holds what cannot be sent.
        case request
        /// A datagram is larger than the way to its destination takes.
        case messageSize = "message_size"
        /// More is waiting than the client's bound; nothing was sent.
        case clientBusy = "client_busy"
        case shutdown
        /// The client itself could not go on, as without memory or descriptors.
        case client
    }

    package var code: Code
    /// For people: what is wrong and, where there is something, what to do. Holds no header, no body and no path of a URL.
    package var message: String
    /// From the moment the request was taken up.
    package var duration: Duration

    package init(_ code: Code, _ message: String, duration: Duration = .zero) {
        self.code = code
        self.message = message
        self.duration = duration
    }
}

extension TransportFailure: CustomStringConvertible {
    package var description: String { "\(code.rawValue): \(message)" }
}
