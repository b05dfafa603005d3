package import Addresses
package import Events

/// One request that was not taken: a line of the refusals ledger. Never the body, and nothing from it.
package struct Refusal: Sendable {
    package var at: Timestamp
    /// Nil when the request named no known source.
    package var source: String?
    package var address: IPAddress?
    package var code: String
    package var detail: String
    /// Bytes of the body that had arrived; nil when none was read.
    package var size: Int?
    /// Lower-case hex of the body's SHA-256, when all of it had arrived.
    package var sha256: String?

    package init(
        at: Timestamp, source: String?, address: IPAddress?, code: String, detail: String, size: Int? = nil,
        sha256: String? = nil
    ) {
        self.at = at
        self.source = source
        self.address = address
        self.code = code
        self.detail = detail
        self.size = size
        self.sha256 = sha256
    }
}
