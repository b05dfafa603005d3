import Glibc

/// What a signal's handler writes: set before each seed, on the one thread there is.
nonisolated(unsafe) private var notice = [UInt8](repeating: 0, count: 64)
nonisolated(unsafe) private var noticeCount = 0

enum ProcessSettings {
    private static let hashing = "SWIFT_DETERMINISTIC_HASHING"

    /// Sets and dictionaries have the same order in every process: without that no seed would run twice alike. Swift reads
    /// the setting when a process begins, so this one begins again.
    static func makeRepeatable() {
        guard unsafe getenv(hashing) == nil else { return }
        unsafe setenv(hashing, "1", 1)
        // A simulation allocates and frees large pieces all the time, which the system need not take back each time.
        for bound in ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"] { unsafe setenv(bound, "1073741824", 1) }
        var arguments =
            unsafe CommandLine.arguments.map { unsafe strdup($0) } + ([nil] as [UnsafeMutablePointer<CChar>?])
        unsafe execv("/proc/self/exe", &arguments)
    }

    /// A seed that ends the process is named all the same.
    static func announce(_ seed: UInt64) {
        let text = Array("seed \(seed) ended the process\n".utf8)
        unsafe notice.replaceSubrange(0..<min(text.count, 64), with: text.prefix(64))
        unsafe noticeCount = text.count
        for number in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS] {
            signal(number) { number in
                _ = unsafe write(1, notice, noticeCount)
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }
}
