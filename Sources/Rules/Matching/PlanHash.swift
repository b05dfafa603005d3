internal import Cryptography

/// Tells rule sets apart by their writing.
enum PlanHash {
    static func of(_ routes: [Route]) -> String {
        var text: [UInt8] = []
        for route in routes { text += route.canonicalText.utf8 }
        return String(Hex.encode(SHA256.hash(text)).prefix(16))
    }
}
