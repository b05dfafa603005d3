internal import Addresses
internal import Cryptography
internal import Glibc
internal import HTTPServer
internal import HTTPTypes
internal import Synchronization

/// Knows who may ask the console, and tells callers apart by their tokens.
package final class AccessDesk: Sendable {
    private let rules: Mutex<AccessRules>
    private let limit = GuessLimit()

    package init(_ rules: AccessRules = AccessRules()) {
        self.rules = Mutex(rules)
    }

    /// Other tokens from now on.
    package func adopt(_ rules: AccessRules) {
        self.rules.withLock { $0 = rules }
    }

    func caller(_ head: HTTPRequestHead) -> Result<APICaller, APIProblem> {
        let rules = rules.withLock { $0 }
        let fields = head.headers.values("Authorization")
        if fields.isEmpty, rules.isOpen {
            return Self.isFromHere(head) ? .success(APICaller(name: "open", role: .operator)) : .failure(.foreignPage)
        }
        guard let token = Self.token(fields) else { return .failure(.tokenMissing) }
        let now = Self.nowMs()
        if let peer = head.peer, let seconds = limit.wait(peer.unmapped, nowMs: now) {
            return .failure(.tooManyGuesses(seconds))
        }
        let digest = SHA256.hash(token)
        if let caller = rules.caller(digest: digest) { return .success(caller) }
        if let peer = head.peer { limit.failed(peer.unmapped, digest: digest, nowMs: now) }
        return .failure(.tokenWrong)
    }

    /// The token of the one `Authorization: Bearer` (RFC 6750, section 2.1).
    private static func token(_ fields: [String]) -> String? {
        guard fields.count == 1, let space = fields[0].firstIndex(of: " ") else { return nil }
        guard HeaderFields.matches(String(fields[0][..<space]), "Bearer") else { return nil }
        let token = fields[0][space...].drop { $0 == " " }
        return token.isEmpty ? nil : String(token)
    }

    /// Whether the request can come from a page of another site in this machine's browser: such a page reaches loopback
    /// by a name of its own (DNS rebinding), or says where it is from.
    private static func isFromHere(_ head: HTTPRequestHead) -> Bool {
        guard let host = head.headers["Host"], isLoopback(authority: host) else { return false }
        guard let origin = head.headers["Origin"] else { return true }
        guard origin.hasPrefix("http://") else { return false }
        return isLoopback(authority: String(origin.dropFirst("http://".count)))
    }

    private static func isLoopback(authority: String) -> Bool {
        var host = authority
        if let colon = host.lastIndex(of: ":"), host[host.index(after: colon)...].allSatisfy(\.isNumber) {
            host = String(host[..<colon])
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return HeaderFields.matches(host, "localhost") || IPAddress(host)?.isLoopback ?? false
    }

    private static func nowMs() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
