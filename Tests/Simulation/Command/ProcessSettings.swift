import Glibc

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
}
