import Glibc
import HTTPTypes
import TestSupport

/// A way in which a receiver of webhooks goes wrong.
enum Misbehaviour: String, CaseIterable, Sendable {
    case refuses, hangs, aByteASecond, resetsMidAnswer, closesKeptConnections, answersNoHTTP, redirects
    case closesAfterAnswers, answersGarbage, answersWithoutEnd
    case expiredCertificate, otherNamesCertificate, unknownAuthority, noTLS

    /// The failure code that it is given; nil where it keeps no event from being delivered.
    var code: String? {
        switch self {
        case .refuses: "connect_refused"
        case .hangs, .aByteASecond: "timeout"
        case .resetsMidAnswer, .closesKeptConnections: "connection_closed"
        case .answersNoHTTP: "malformed_response"
        case .redirects: "http_302"
        case .expiredCertificate: "tls_expired"
        case .otherNamesCertificate: "tls_name"
        case .unknownAuthority: "tls_untrusted"
        case .noTLS: "tls"
        // A status of 2xx says that a webhook was taken, whatever comes with it or after it.
        case .closesAfterAnswers, .answersGarbage, .answersWithoutEnd: nil
        }
    }

    /// Whether events arrive, sooner or later, although it is not healed.
    var delivers: Bool { code == nil || self == .closesKeptConnections }

    /// Whether nothing but time tells that it is sick.
    var isSlow: Bool { self == .hangs || self == .aByteASecond }

    var usesTLS: Bool {
        switch self {
        case .expiredCertificate, .otherNamesCertificate, .unknownAuthority, .noTLS: true
        default: false
        }
    }

    /// What it does with one connection.
    ///
    /// - Parameter elsewhere: where it sends those who follow redirects.
    func serve(_ connection: ScriptedConnection, _ receipts: Receipts, elsewhere: String) {
        switch self {
        case .refuses: return
        case .hangs: hang(connection)
        case .aByteASecond: drip(connection)
        case .resetsMidAnswer:
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly so far")
            connection.resetAtEnd()
        case .closesKeptConnections:
            take(connection, receipts)
            connection.respond()
            _ = connection.readRequest()
        case .answersNoHTTP:
            _ = connection.readRequest()
            connection.write([0, 1, 0xFF] + Array("no HTTP at all\r\n\r\n".utf8))
        case .redirects:
            _ = connection.readRequest()
            connection.respond(HTTPResponse(status: 302, headers: ["Location": elsewhere]))
        case .closesAfterAnswers:
            take(connection, receipts)
            connection.respond()
        case .answersGarbage:
            while take(connection, receipts) {
                connection.respond(HTTPResponse(status: 200, body: [0xFF, 0, 0xC0] + Array("{\"error\": <html>".utf8)))
            }
        case .answersWithoutEnd:
            take(connection, receipts)
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
            while connection.write([UInt8](repeating: 0x78, count: 65536)) {}
        case .noTLS:
            _ = connection.read()
            connection.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        case .expiredCertificate, .otherNamesCertificate, .unknownAuthority:
            if connection.readRequest() != nil { receipts.problem("a request to somebody who is not to be trusted") }
        }
    }

    private func hang(_ connection: ScriptedConnection) {
        _ = connection.readRequest()
        connection.waitForClose()
    }

    private func drip(_ connection: ScriptedConnection) {
        _ = connection.readRequest()
        for byte in "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8 {
            guard connection.write([byte]) else { return }
            sleep(1)
        }
    }

    @discardableResult
    private func take(_ connection: ScriptedConnection, _ receipts: Receipts) -> Bool {
        guard let request = connection.readRequest() else { return false }
        receipts.receivedWebhook(request.body) { request.headers[$0] }
        return true
    }
}
