/// Why the log did not do what was asked.
package struct LogFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Unfinished events fill the space the log may take.
        case full = "log_full"
        /// Not durable at present (disk full, disk failing, queue full, closing): try again later.
        case unavailable = "log_unavailable"
        /// One batch is larger than the log ever takes at once.
        case tooLarge = "log_batch_too_large"
        /// The position lies before what retention has kept.
        case expired = "position_expired"
        /// The position lies beyond the end, or is of another log.
        case unknownPosition = "position_unknown"
        /// A record does not match its checksum, or is missing: it is named, and never skipped.
        case damaged = "log_damaged"
        /// A log of this kind cannot do what was asked.
        case unsupported = "log_unsupported"
    }

    package let code: Code
    package let message: String
    /// For `Retry-After`.
    package let retryAfterSeconds: Int

    package init(_ code: Code, _ message: String, retryAfterSeconds: Int = 1) {
        self.code = code
        self.message = message
        self.retryAfterSeconds = retryAfterSeconds
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
