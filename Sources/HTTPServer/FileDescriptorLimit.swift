internal import Glibc

/// The process's limit of open files (`RLIMIT_NOFILE`).
package enum FileDescriptorLimit {
    /// Raises the soft limit as far as needed.
    ///
    /// - Parameter needed: descriptors the process may have open at once: every connection is one.
    /// - Returns: the limit that now holds.
    /// - Throws: `descriptors` when the hard limit is below `needed`; then nothing is changed.
    @discardableResult
    package static func raise(toAtLeast needed: Int) throws(HTTPServerError) -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw HTTPServerError(
                .descriptors, "The limit of open files cannot be read: \(systemMessage(errno)).", systemError: errno)
        }
        if limit.rlim_cur >= rlim_t(needed) { return Int(clamping: limit.rlim_cur) }
        let advice =
            "\(needed) open files may be needed, \(limit.rlim_max) are permitted: raise LimitNOFILE= of the service "
            + "(or ulimit -Hn), or lower the number of connections."
        guard limit.rlim_max >= rlim_t(needed) else { throw HTTPServerError(.descriptors, advice) }
        limit.rlim_cur = rlim_t(needed)
        guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw HTTPServerError(.descriptors, advice, systemError: errno)
        }
        return needed
    }
}
