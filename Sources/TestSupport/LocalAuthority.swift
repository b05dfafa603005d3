import Foundation

/// A certificate authority of a test's own, made with the `openssl` program.
package final class LocalAuthority: Sendable {
    package struct Failure: Error {
        package let output: String
    }

    /// A certificate (with the authority's after it) and its key, as PEM files.
    package struct Identity: Sendable {
        package let certFile: String
        package let keyFile: String
    }

    private let folder = TemporaryDirectory()
    /// The authority's own certificate: what a client trusts.
    package let caFile: String

    package init() throws {
        caFile = folder.file("ca.pem")
        try openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=Test authority \(UUID().uuidString.prefix(8))", "-keyout", folder.file("ca.key"),
            "-out", caFile, "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign,cRLSign",
        ])
    }

    /// Issues a certificate.
    ///
    /// - Parameters:
    ///   - names: The subject alternative names, such as `IP:127.0.0.1` and `DNS:receiver.test`.
    ///   - isExpired: Whether it stopped being valid yesterday.
    package func issue(_ names: [String] = ["IP:127.0.0.1", "DNS:localhost"], isExpired: Bool = false) throws
        -> Identity
    {
        let name = UUID().uuidString
        let (key, request, certificate) = (
            folder.file("\(name).key"), folder.file("\(name).csr"), folder.file("\(name).pem")
        )
        try openssl([
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=test",
            "-keyout", key, "-out", request,
        ])
        let configuration = try folder.write(
            "\(name).cnf",
            """
            [ca]
            default_ca = this
            [this]
            new_certs_dir = \(folder.path)
            database = \(try folder.write("\(name).db", ""))
            rand_serial = yes
            default_md = sha256
            policy = any
            [any]
            commonName = supplied
            [leaf]
            basicConstraints = CA:FALSE
            extendedKeyUsage = serverAuth, clientAuth
            subjectAltName = \(names.joined(separator: ", "))
            """)
        let (start, end) = isExpired ? (-3, -1) : (-1, 2)
        try openssl([
            "ca", "-batch", "-notext", "-config", configuration, "-extensions", "leaf", "-cert", caFile,
            "-keyfile", folder.file("ca.key"), "-startdate", Self.date(inDays: start), "-enddate",
            Self.date(inDays: end), "-in", request, "-out", certificate,
        ])
        return Identity(certFile: certificate, keyFile: key)
    }

    /// The fingerprint of a certificate, as `openssl` prints it: pairs of hexadecimal digits with colons.
    package func fingerprint(of identity: Identity) throws -> String {
        let output = try openssl(["x509", "-noout", "-fingerprint", "-sha256", "-in", identity.certFile])
        return String(output.drop { $0 != "=" }.dropFirst().prefix { !$0.isNewline })
    }

    /// The pin of a certificate's public key: `sha256//` and Base64.
    package func publicKeyPin(of identity: Identity) throws -> String {
        let script = """
            openssl x509 -noout -pubkey -in '\(identity.certFile)' | openssl pkey -pubin -outform der \
            | openssl dgst -sha256 -binary | openssl base64 -A
            """
        return "sha256//" + (try run("sh", ["-c", script]).output)
    }

    @discardableResult
    private func openssl(_ arguments: [String]) throws -> String {
        let (status, output) = try run("openssl", arguments)
        guard status == 0 else { throw Failure(output: output) }
        return output
    }

    private static func date(inDays days: Int) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "yyyyMMddHHmmss'Z'"
        return formatter.string(from: Date(timeIntervalSinceNow: Double(days) * 86400))
    }
}
