package import Events

/// A sender's app, set up at one of its customers: what the set-up told of it.
package struct AppInstallation: Sendable, Hashable {
    /// In bytes.
    package static let longestID = 64

    /// The source that its requests come in by.
    package var source: String
    /// The sender's own id of it.
    package var id: String
    /// When the set-up last told of it.
    package var at: Timestamp

    package init(source: String, id: String, at: Timestamp) {
        self.source = source
        self.id = id
        self.at = at
    }

    /// Letters, digits, `-`, `_` and `.`: it is to stand in a URL.
    package static func isID(_ text: String) -> Bool {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
            default: false
            }
        }
        return isPlain && (1...longestID).contains(text.utf8.count) && !text.hasPrefix(".")
    }
}
