internal import Glibc

/// Bytes an ordinary user may still write to the file system that holds `path`; nil when nobody says.
func availableBytes(at path: String) -> Int64? {
    var information = statvfs()
    guard unsafe statvfs(path, &information) == 0 else { return nil }
    return Int64(
        clamping: UInt64(information.f_bavail).multipliedReportingOverflow(by: UInt64(information.f_frsize))
            .partialValue)
}
