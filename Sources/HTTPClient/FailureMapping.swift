import Addresses
import CCurl
import Glibc

/// Says in our terms why a transfer failed.
enum FailureMapping {
    static func failure(
        _ result: CURLcode, easy: EasyHandle, attempt: ConnectionAttempt, host: String, duration: Duration
    ) -> TransportFailure {
        let (code, message) = own(attempt, host: host) ?? libcurl(result, easy: easy, attempt: attempt, host: host)
        return TransportFailure(code, message, duration: duration)
    }

    /// What our own callbacks decided.
    private static func own(_ attempt: ConnectionAttempt, host: String) -> (TransportFailure.Code, String)? {
        if let (address, kind) = attempt.refusal, attempt.socketsOpened == 0 || attempt.requestsBegun > 0 {
            let addressGuard = attempt.addressGuard ?? AddressGuard()
            let place = host == address.description ? host : "\(address), an address of \(host),"
            return (
                .addressRefused,
                "\(place) is refused (\(kind)); to permit it add `\(addressGuard.suggestion(for: address))` to the target"
            )
        }
        if attempt.requestsBegun > 1 { return (.connectionClosed, "\(host) closed the connection as the request came") }
        if let broken = attempt.brokenPin {
            let instead = broken.fitting.map { "; if this one is to be trusted, the pin is `\($0)`" } ?? ""
            return (.tlsPin, "the certificate of \(host) is not the pinned one\(instead)")
        }
        return nil
    }

    private static func libcurl(
        _ result: CURLcode, easy: EasyHandle, attempt: ConnectionAttempt, host: String
    ) -> (TransportFailure.Code, String) {
        let explanation = easy.explanation(of: result)
        switch result {
        case CURLE_COULDNT_RESOLVE_HOST: return (.dns, "the name \(host) has no address (\(explanation))")
        case CURLE_COULDNT_RESOLVE_PROXY: return (.proxy, explanation)
        case CURLE_COULDNT_CONNECT: return connecting(easy, attempt, host, explanation)
        case CURLE_OPERATION_TIMEDOUT: return timeout(attempt, host, explanation)
        case CURLE_PROXY: return (.proxy, explanation)
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE:
            return receiving(easy, host, explanation)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_WRITE_ERROR, CURLE_BAD_CONTENT_ENCODING,
            CURLE_FILESIZE_EXCEEDED:
            return (.malformedResponse, "\(host) did not answer in HTTP, or its headers are too large (\(explanation))")
        // What libcurl says of a header line that is longer than it takes.
        case CURLE_OUT_OF_MEMORY where attempt.requestsBegun > 0:
            return (.malformedResponse, "a header line of the answer of \(host) is too long (\(explanation))")
        case CURLE_UNSUPPORTED_PROTOCOL where attempt.requestsBegun > 0:
            return (.malformedResponse, "\(host) did not answer in HTTP/1 (\(explanation))")
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED:
            return (.url, "the URL cannot be used (\(explanation))")
        default: return tls(result, easy: easy, host: host, explanation)
        }
    }

    private static func connecting(
        _ easy: EasyHandle, _ attempt: ConnectionAttempt, _ host: String, _ explanation: String
    ) -> (TransportFailure.Code, String) {
        if attempt.socketError != 0, attempt.socketsOpened == 0 {
            return (.client, "no socket could be opened (\(unsafe String(cString: strerror(attempt.socketError))))")
        }
        switch Int32(easy.number(CURLINFO_OS_ERRNO)) {
        case ECONNREFUSED: return (.connectRefused, "\(host) refuses the connection (\(explanation))")
        case ETIMEDOUT: return (.connectTimeout, "\(host) does not answer (\(explanation))")
        default: return (.connectFailed, "\(host) cannot be reached (\(explanation))")
        }
    }

    private static func timeout(
        _ attempt: ConnectionAttempt, _ host: String, _ explanation: String
    ) -> (TransportFailure.Code, String) {
        if attempt.requestsBegun > 0 { return (.timeout, "\(host) did not answer in time (\(explanation))") }
        if attempt.socketsOpened > 0 { return (.connectTimeout, "\(host) cannot be reached in time (\(explanation))") }
        return (.dns, "the look-up of \(host) took too long (\(explanation))")
    }

    private static func receiving(
        _ easy: EasyHandle, _ host: String, _ explanation: String
    ) -> (TransportFailure.Code, String) {
        if isRefusal(explanation) { return refused(host, explanation) }
        if explanation.contains("SSL routines") { return (.tls, "\(host) ended TLS (\(explanation))") }
        if explanation.contains("Chunked") || explanation.contains("chunk") {
            return (.malformedResponse, "\(host) did not answer in HTTP (\(explanation))")
        }
        if easy.number(CURLINFO_HTTP_CONNECTCODE) >= 300 { return (.proxy, "the proxy refuses (\(explanation))") }
        return (.connectionClosed, "\(host) closed the connection before its answer was whole (\(explanation))")
    }

    /// An alert that speaks of our certificate (RFC 8446, section 6.2).
    private static func isRefusal(_ explanation: String) -> Bool {
        explanation.contains("alert certificate") || explanation.contains("alert bad certificate")
            || explanation.contains("alert unknown ca") || explanation.contains("alert unsupported certificate")
            || explanation.contains("alert access denied")
    }

    private static func refused(_ host: String, _ explanation: String) -> (TransportFailure.Code, String) {
        (
            .tlsRefused,
            "\(host) wants a certificate of ours, or another one (\(explanation)); name it as `tls: {cert: …, key: …}`"
        )
    }

    private static func tls(
        _ result: CURLcode, easy: EasyHandle, host: String, _ explanation: String
    ) -> (TransportFailure.Code, String) {
        switch result {
        case CURLE_PEER_FAILED_VERIFICATION:
            switch Int32(easy.number(CURLINFO_SSL_VERIFYRESULT)) {
            case X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID:
                return (.tlsExpired, "the certificate of \(host) is not valid now (\(explanation))")
            // libcurl leaves "unspecified" while the chain is good and the name is not.
            case X509_V_OK, X509_V_ERR_UNSPECIFIED, X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
                return (.tlsName, "the certificate of \(host) is for another name (\(explanation))")
            default:
                return (
                    .tlsUntrusted,
                    "the certificate of \(host) comes from no trusted authority (\(explanation)); name yours as `tls: {ca: …}`"
                )
            }
        case CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE:
            return (.tlsCredentials, "a TLS file cannot be used (\(explanation))")
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_SHUTDOWN_FAILED,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED:
            return isRefusal(explanation)
                ? refused(host, explanation) : (.tls, "no TLS connection with \(host) (\(explanation))")
        default: return (.client, "\(explanation) (libcurl \(result.rawValue))")
        }
    }
}
