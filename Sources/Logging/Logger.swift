internal import Glibc

/// Writes structured log lines: JSON, one object a line, or text for people.
package struct Logger: Sendable {
    package enum Format: String, Sendable, CaseIterable {
        case json, text
    }

    private let minimum: LogLevel
    private let sink: @Sendable (LogLine) -> Void

    package init(minimum: LogLevel = .info, sink: @escaping @Sendable (LogLine) -> Void) {
        self.minimum = minimum
        self.sink = sink
    }

    /// To standard error.
    package static func standardError(_ format: Format, minimum: LogLevel = .info) -> Logger {
        Logger(minimum: minimum) { line in
            let text = (format == .json ? line.json : line.text) + "\n"
            var bytes = Array(text.utf8)
            // One write call keeps lines of several threads apart.
            unsafe bytes.withUnsafeMutableBytes { _ = unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
        }
    }

    /// Takes everything and says nothing.
    package static let silent = Logger { _ in }

    package func debug(_ event: String, _ message: String, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        log(.debug, event, message, fields)
    }

    package func info(_ event: String, _ message: String, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        log(.info, event, message, fields)
    }

    package func warning(_ event: String, _ message: String, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        log(.warning, event, message, fields)
    }

    package func error(_ event: String, _ message: String, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        log(.error, event, message, fields)
    }

    private func log(
        _ level: LogLevel, _ event: String, _ message: String, _ fields: KeyValuePairs<String, LogValue>
    ) {
        guard level >= minimum else { return }
        sink(
            LogLine(
                time: Self.now(), level: level, event: event, message: message,
                fields: fields.map { ($0.key, $0.value) }))
    }

    private static func now() -> String {
        var moment = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &moment)
        var parts = unsafe tm()
        _ = unsafe gmtime_r(&moment.tv_sec, &parts)
        let seconds = unsafe String(unsafeUninitializedCapacity: 32) { buffer in
            unsafe buffer.withMemoryRebound(to: CChar.self) {
                unsafe strftime($0.baseAddress, $0.count, "%Y-%m-%dT%H:%M:%S", &parts)
            }
        }
        let fraction = String(1000 + Int(moment.tv_nsec) / 1_000_000).dropFirst()
        return "\(seconds).\(fraction)Z"
    }
}
