internal import Cryptography
internal import Glibc

/// A folder of its own for one demonstration: the example configuration as if it had been installed there, the routes
/// beside it, and fresh secrets.
struct DemoStage {
    private let temporary: TemporaryFolder
    let folder: String
    let configurationFile: String
    /// What the configuration's `${env:…}` mean here.
    var environment: [String: String]

    /// - Parameter example: the example configuration; its routes are in `routes` beside its folder.
    init(example: String) throws {
        temporary = try TemporaryFolder("/tmp/gatehouse-demo-")
        folder = temporary.path
        configurationFile = folder + "/etc/gatehouse.yaml"
        environment = [:]
        let text = try readInput(example)
        let routes = try Self.absolute(Self.folder(of: example) + "/../routes")
        guard unsafe mkdir(folder + "/etc", 0o700) == 0, Self.write(text, to: configurationFile),
            unsafe symlink(routes, folder + "/routes") == 0
        else { throw CommandFailure("the demonstration's folder \(folder) cannot be written") }
        for name in ["LONDON_SECRET", "SYDNEY_KEY", "GUESTS_TOKEN", "FACES_SECRET", "LOBBY_SECRET", "CRM_TOKEN"] {
            environment[name] = Hex.encode(randomBytes(16))
        }
        environment["PARTNER_SECRET"] = "whsec_" + Base64.encode(randomBytes(24))
    }

    /// Takes the folder away again.
    func remove() {
        temporary.remove()
    }

    private static func folder(of file: String) -> String {
        file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "."
    }

    private static func absolute(_ path: String) throws -> String {
        guard let resolved = unsafe realpath(path, nil) else {
            throw CommandFailure("the routes \(path) are not there; run it from the project's folder, or say -c FILE")
        }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    private static func write(_ bytes: [UInt8], to path: String) -> Bool {
        let file = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { return false }
        defer { close(file) }
        return unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) == $0.count }
    }
}
