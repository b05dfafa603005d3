internal import Glibc
internal import HTTPClient
package import YAML

extension TargetBlueprint {
    /// Warns of TLS files that cannot be read. They are read when a connection is made: one that is not there stops
    /// nothing but this target, whose events wait.
    package func warnOfUnreadableFiles(_ diagnostics: inout Diagnostics) {
        // Where a `${…}` has no value, the path may be only what was written.
        guard let location = settings.location, !(self is UnresolvedBlueprint) else { return }
        let endpoint = (unwrapped as? any RequestBlueprint)?.request.oauth?.tls
        var seen: Set<String> = []
        for options in [settings.tls, endpoint].compactMap(\.self) {
            for (key, path) in options.files where seen.insert(path).inserted {
                guard unsafe access(path, R_OK) != 0 else { continue }
                let reason = systemMessage(errno)
                diagnostics.warning(
                    at: location,
                    "`tls: {\(key): …}` of target \(settings.name) names \(displayable(path)), which cannot be read: "
                        + "\(reason); until it can, nothing is delivered (`tls_credentials`)")
            }
        }
    }
}

extension TLSOptions {
    /// Those it names, by their keys.
    fileprivate var files: [(key: String, path: String)] {
        [("ca", caFile), ("cert", certFile), ("key", keyFile)].compactMap { key, path in path.map { (key, $0) } }
    }
}
