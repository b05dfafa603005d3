import Foundation
import Glibc
import HTTPTypes
import TestSupport

/// What a system does that is asked about a visitor. All but two of them mean that nothing was said, whatever they say.
enum AskedConduct: String, CaseIterable, Sendable {
    case admits, denies
    case refuses, hangs, hangsAtTLS, hangsAtItsName, aByteAtATime, admitsTooLate
    case closes, resetsMidAnswer, answersNoHTTP, saysNonsense, fails, redirects, isTooLong, answersWithoutEnd
    case expiredCertificate, otherNamesCertificate, unknownAuthority, noTLS

    /// As a name in rules and as a visitor's group.
    var name: String {
        rawValue.replacing(/[A-Z]+/) { "-\($0.output.lowercased())" }
    }

    /// What a visitor is told, where it is not that there was no time.
    var onFailure: String { "The system \(name) said nothing." }

    private var usesTLS: Bool {
        switch self {
        case .hangsAtTLS, .expiredCertificate, .otherNamesCertificate, .unknownAuthority, .noTLS: true
        default: false
        }
    }

    private static let admission = #"{"decision":"admit"}"#

    /// Answers that admit nobody, however much they look like it.
    private static let nonsense = [
        "", "admit", #""admit""#, "{}", #"{"decision":"ADMIT"}"#, #"{"decision":true}"#, #"{"decision":null}"#,
        #"{"decision":["admit"]}"#, #"{"decision":"admit","allow":true}"#, #"{"decision":"admit","message":null}"#,
        #"{"decision":"admit","decision":"deny"}"#, #"{"decision":"admit"}{}"#, #"{"decision":"admit""#,
        #"[{"decision":"admit"}]"#, #"{"Decision":"admit"}"#, "{\"decision\":\"admit\u{0}\"}",
    ]

    private static let failures = [201, 202, 204, 206, 400, 403, 404, 412, 429, 500, 503]

    /// The target, which times out soon and trusts the authority.
    func target(port: Int, _ authority: LocalAuthority) -> String {
        let host = self == .hangsAtItsName ? "asked.hanging.test" : "127.0.0.1"
        let tls = usesTLS ? ", tls: {ca: \"\(authority.caFile)\"}" : ""
        return "  \(name): {type: webhook, url: \"\(usesTLS ? "https" : "http")://\(host):\(port)/ask\", "
            + "allow: 127.0.0.1/32\(tls)}"
    }

    /// What its connections begin with.
    func certificate(_ certificates: Certificates) -> ServerTLS? {
        switch self {
        case .expiredCertificate: certificates.expired
        case .otherNamesCertificate: certificates.otherName
        case .unknownAuthority: certificates.unknown
        default: nil
        }
    }

    struct Certificates: Sendable {
        fileprivate let expired, otherName, unknown: ServerTLS

        init(_ authority: LocalAuthority) throws {
            let stranger = try LocalAuthority()
            expired = ServerTLS(try authority.issue(isExpired: true))
            otherName = ServerTLS(try authority.issue(["DNS:elsewhere.test"]))
            unknown = ServerTLS(try stranger.issue())
            // Its files go with it.
            withExtendedLifetime(stranger) {}
        }
    }

    /// What it does with one connection.
    /// - Parameters:
    ///   - number: of the question.
    ///   - elsewhere: where everybody is admitted.
    func serve(_ connection: ScriptedConnection, number: Int, elsewhere: String) {
        if self == .hangsAtTLS { return connection.waitForClose() }
        while connection.readRequest() != nil {
            guard answer(connection, number, elsewhere) else { return }
        }
    }

    /// - Returns: whether the connection goes on.
    private func answer(_ connection: ScriptedConnection, _ number: Int, _ elsewhere: String) -> Bool {
        let whole = "HTTP/1.1 200 OK\r\nContent-Length: \(Self.admission.utf8.count)\r\n\r\n\(Self.admission)"
        switch self {
        case .denies: return respond(connection, #"{"decision":"deny","message":"No badge"}"#)
        case .saysNonsense: return respond(connection, Self.nonsense[number % Self.nonsense.count])
        case .fails: return respond(connection, Self.admission, Self.failures[number % Self.failures.count])
        case .redirects:
            let status = [301, 302, 303, 307, 308][number % 5]
            return connection.respond(
                HTTPResponse(
                    status: status, headers: ["Location": elsewhere], body: Array(Self.admission.utf8)))
        case .isTooLong:
            return respond(connection, Self.admission + String(repeating: " ", count: 64 << 10))
        case .hangs:
            connection.waitForClose()
        case .aByteAtATime:
            for byte in whole.utf8 {
                guard connection.write([byte]) else { return false }
                usleep(50_000)
            }
        case .admitsTooLate:
            usleep(2_500_000)
            connection.write(whole)
        case .resetsMidAnswer:
            connection.write(String(whole.dropLast(1)))
            connection.resetAtEnd()
        case .answersNoHTTP: connection.write("\u{0}\u{1}\(Self.admission)\r\n\r\n")
        case .answersWithoutEnd:
            connection.write(
                "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n{\"decision\":\"admit\",\"message\":\"")
            while connection.write([UInt8](repeating: 0x78, count: 65536)) {}
        case .noTLS: connection.write(whole)
        case .closes, .refuses, .hangsAtTLS: break
        // Those with a bad certificate, and one whose name is never found: nobody may come as far as this.
        default: return respond(connection, Self.admission)
        }
        return false
    }

    private func respond(_ connection: ScriptedConnection, _ body: String, _ status: Int = 200) -> Bool {
        connection.respond(HTTPResponse(status: status, body: status == 204 ? [] : Array(body.utf8)))
    }
}
