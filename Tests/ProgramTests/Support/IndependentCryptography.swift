import COpenSSL
import Foundation

/// HMAC and SHA-256 straight from OpenSSL: nothing of the program's own code.
enum Independent {
    static func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        var count = 0
        let done = unsafe EVP_Q_mac(
            nil, "HMAC", nil, "SHA256", nil, key, key.count, message, message.count, &result, result.count, &count)
        precondition(unsafe done != nil && count == 32)
        return result
    }

    static func sha256(_ message: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        var count = 0
        precondition(
            unsafe EVP_Q_digest(nil, "SHA256", nil, message, message.count, &result, &count) == 1 && count == 32)
        return result
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
    static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    /// The first 16 octets of SHA-256 over the source's name, one line feed and the sender's key, in hex.
    static func eventID(source: String, key: String) -> String {
        hex(Array(sha256(Array("\(source)\n\(key)".utf8)).prefix(16)))
    }
}
