import CMimalloc
import Glibc

enum ProcessSettings {
    private static let hashing = "SWIFT_DETERMINISTIC_HASHING"

    /// Sets and dictionaries have the same order in every process: without that no seed would run twice alike. Swift reads
    /// the setting when a process begins, so this one begins again.
    static func makeRepeatable() {
        guard unsafe getenv(hashing) == nil else { return }
        unsafe setenv(hashing, "1", 1)
        // A call of its own is what links mimalloc, which a simulation gains by: it allocates and frees all the time.
        _ = mi_version()
        var arguments =
            unsafe CommandLine.arguments.map { unsafe strdup($0) } + ([nil] as [UnsafeMutablePointer<CChar>?])
        unsafe execv("/proc/self/exe", &arguments)
    }
}
