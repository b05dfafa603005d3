import COpenSSL

/// A failure inside OpenSSL, or key material it cannot take. Never holds key material.
package struct CryptographyError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Closed on the outside, open to growth: compare with the constants.
    package struct Code: Sendable, Hashable {
        package let name: String

        /// The key has the wrong length or is not a key of that algorithm.
        package static let invalidKey = Code(name: "invalid_key")
        /// The library refused the operation.
        package static let library = Code(name: "library")
    }

    package let code: Code
    /// The call that failed, such as `EVP_DigestSign`.
    package let operation: String
    /// OpenSSL's packed error number, 0 when it gave none.
    package let libraryCode: UInt
    /// OpenSSL's own words, or ours.
    package let message: String

    package var description: String { "\(operation): \(message)" }

    static func invalidKey(_ operation: String, _ message: String) -> CryptographyError {
        CryptographyError(code: .invalidKey, operation: operation, libraryCode: 0, message: message)
    }

    /// Takes the newest error of this thread's queue and leaves the queue empty.
    static func drained(_ operation: String, code: Code = .library) -> CryptographyError {
        var last: UInt = 0
        while true {
            let next = ERR_get_error()
            if next == 0 { break }
            last = next
        }
        guard last != 0 else {
            return CryptographyError(code: code, operation: operation, libraryCode: 0, message: "failed")
        }
        let message = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            unsafe ERR_error_string_n(last, buffer.baseAddress, buffer.count)
            return unsafe String(cString: buffer.baseAddress!)
        }
        return CryptographyError(code: code, operation: operation, libraryCode: last, message: message)
    }
}

/// For calls that fail only when memory has run out or the library is broken: there is no way to go on.
func require(_ succeeded: Bool, _ operation: String) {
    guard succeeded else { fatalError("OpenSSL failed in \(CryptographyError.drained(operation))") }
}
