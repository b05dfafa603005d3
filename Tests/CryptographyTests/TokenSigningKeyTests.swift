import Foundation
import Testing

@testable import Cryptography

/// OpenSSL's own program makes the keys and verifies the signatures.
@Suite("Keys that sign tokens")
struct TokenSigningKeyTests {
    private final class Folder {
        let url = FileManager.default.temporaryDirectory.appending(path: "gatehouse-\(UUID().uuidString)")
        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(at: url) }

        @discardableResult
        func openssl(_ arguments: String...) throws -> (status: Int32, output: String) {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["openssl"] + arguments
            process.currentDirectoryURL = url
            let pipe = Pipe()
            process.standardOutput = pipe
            process.standardError = FileHandle.nullDevice
            process.standardInput = FileHandle.nullDevice
            try process.run()
            let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return (process.terminationStatus, output)
        }

        func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url.appending(path: name))) }
        func write(_ bytes: [UInt8], _ name: String) throws { try Data(bytes).write(to: url.appending(path: name)) }
    }

    private static let message = Array("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJnYXRlIn0".utf8)

    @Test("RSA signatures of both kinds are verified by openssl", arguments: [TokenAlgorithm.rs256, .ps256])
    func rsa(algorithm: TokenAlgorithm) throws {
        let folder = try Folder()
        try folder.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "key.pem")
        try folder.openssl("pkey", "-in", "key.pem", "-pubout", "-out", "public.pem")
        let key = try TokenSigningKey(pem: try folder.bytes("key.pem"), algorithm: algorithm)
        try folder.write(Self.message, "message")
        try folder.write(try key.sign(Self.message), "signature")
        let options =
            algorithm == .ps256 ? ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"] : ["-sha256"]
        let (_, output) = try folder.openssl(
            "dgst", "-sha256", options[0], options.count > 1 ? options[1] : "-sha256",
            options.count > 2 ? options[2] : "-sha256", options.count > 3 ? options[3] : "-sha256", "-verify",
            "public.pem", "-signature", "signature", "message")
        #expect(output.contains("Verified OK"))
    }

    @Test("ES256 signatures are two numbers of 32 bytes, verified by openssl")
    func elliptic() throws {
        let folder = try Folder()
        try folder.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key.pem")
        try folder.openssl("pkey", "-in", "key.pem", "-pubout", "-out", "public.pem")
        let key = try TokenSigningKey(pem: try folder.bytes("key.pem"))
        #expect(key.algorithm == .es256)
        try folder.write(Self.message, "message")
        // Numbers with leading zeros come up once in a hundred and more.
        for _ in 0..<300 { #expect(try key.sign(Self.message).count == 64) }
        let signature = try key.sign(Self.message)
        func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            var digits = Array(bytes.drop { $0 == 0 })
            if digits.first.map({ $0 >= 0x80 }) ?? true { digits.insert(0, at: 0) }
            return [0x02, UInt8(digits.count)] + digits
        }
        let numbers = integer(signature.prefix(32)) + integer(signature.suffix(32))
        try folder.write([0x30, UInt8(numbers.count)] + numbers, "signature")
        let (_, output) = try folder.openssl(
            "dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "message")
        #expect(output.contains("Verified OK"))
    }

    @Test("keys of other kinds, too short, encrypted or none at all are refused, and nobody is asked for a pass phrase")
    func refused() throws {
        let folder = try Folder()
        try folder.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", "short.pem")
        try folder.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "curve.pem")
        try folder.openssl("genpkey", "-algorithm", "ED25519", "-out", "ed.pem")
        try folder.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "good.pem")
        try folder.openssl(
            "pkey", "-in", "good.pem", "-aes256", "-passout", "pass:secret", "-out", "encrypted.pem")
        for name in ["short.pem", "curve.pem", "ed.pem", "encrypted.pem"] {
            let pem = try folder.bytes(name)
            #expect(throws: CryptographyError.self, "\(name)") { try TokenSigningKey(pem: pem) }
        }
        let good = try folder.bytes("good.pem")
        #expect(throws: CryptographyError.self) { try TokenSigningKey(pem: good, algorithm: .rs256) }
        #expect(throws: CryptographyError.self) { try TokenSigningKey(pem: []) }
        #expect(throws: CryptographyError.self) { try TokenSigningKey(pem: Array("no key".utf8)) }
    }

    @Test("Base 64 for URLs is that of RFC 7515")
    func base64() {
        #expect(Base64URL.encode([3, 236, 255, 224, 193]) == "A-z_4ME")
        #expect(Base64URL.encode([]) == "")
    }
}
