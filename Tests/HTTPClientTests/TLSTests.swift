import HTTPClient
import HTTPTypes
import TestSupport
import Testing

@Suite struct TLSTests {
    static let authority = try! LocalAuthority()
    static let stranger = try! LocalAuthority()
    static let good = try! authority.issue()
    static let trusting = TLSOptions(caFile: authority.caFile)

    static func server(_ identity: LocalAuthority.Identity, clientCAFile: String? = nil) -> ScriptedServer {
        ScriptedServer(tls: ServerTLS(identity, clientCAFile: clientCAFile)) { _ in HTTPResponse(status: 200) }
    }

    static func send(_ server: ScriptedServer, _ tls: TLSOptions, host: String = "127.0.0.1") async -> Result<
        HTTPClientResponse, TransportFailure
    > {
        await client.send(HTTPClientRequest(url: server.url(scheme: "https", host: host), tls: tls))
    }

    @Test("A certificate of the named authority for the right name is good", arguments: ["127.0.0.1", "localhost"])
    func good(host: String) async throws {
        let server = Self.server(Self.good)
        for _ in 0..<3 { #expect(try await Self.send(server, Self.trusting, host: host).get().status == 200) }
        #expect(server.connectionCount == 1)
    }

    @Test("What is wrong with a certificate has its own code")
    func wrong() async throws {
        let expired = Self.server(try Self.authority.issue(isExpired: true))
        #expect(await Self.send(expired, Self.trusting).code == .tlsExpired)
        let elsewhere = Self.server(try Self.authority.issue(["DNS:receiver.test", "IP:127.0.0.2"]))
        #expect(await Self.send(elsewhere, Self.trusting).code == .tlsName)
        #expect(await Self.send(elsewhere, Self.trusting, host: "localhost").code == .tlsName)
        let unknown = Self.server(try Self.stranger.issue())
        #expect(await Self.send(unknown, Self.trusting).code == .tlsUntrusted)
        #expect(await Self.send(unknown, TLSOptions()).code == .tlsUntrusted)
    }

    @Test("A connection opened under one trust is not used under another")
    func reuse() async throws {
        let server = Self.server(Self.good)
        for _ in 0..<2 {
            #expect(try await Self.send(server, Self.trusting).get().status == 200)
            #expect(await Self.send(server, TLSOptions(caFile: Self.stranger.caFile)).code == .tlsUntrusted)
            #expect(await Self.send(server, TLSOptions()).code == .tlsUntrusted)
        }
    }

    @Test("A pin of the key or of the certificate must fit, on new and on open connections")
    func pins() async throws {
        let other = try Self.authority.issue()
        for form in [Self.authority.publicKeyPin, Self.authority.fingerprint] {
            let server = Self.server(Self.good)
            var fitting = Self.trusting
            fitting.pinSHA256 = try form(Self.good)
            var unfitting = Self.trusting
            unfitting.pinSHA256 = try form(other)
            for _ in 0..<2 {
                #expect(try await Self.send(server, Self.trusting).get().status == 200)
                let failure = await Self.send(server, unfitting).failure
                #expect(failure?.code == .tlsPin)
                #expect(failure?.message.contains("`\(try form(Self.good))`") == true, "what would fit is said")
                #expect(try await Self.send(server, fitting).get().status == 200)
            }
        }
        let plain = ScriptedServer { _ in HTTPResponse(status: 200) }
        var pinned = HTTPClientRequest(url: plain.url(), tls: Self.trusting)
        pinned.tls.pinSHA256 = try Self.authority.fingerprint(of: Self.good)
        #expect(await client.send(pinned).code == .tlsPin)
        #expect(plain.connectionCount == 0)
    }

    @Test("A pin does not replace trust")
    func pinWithoutTrust() async throws {
        let server = Self.server(Self.good)
        let pin = try Self.authority.fingerprint(of: Self.good)
        #expect(await Self.send(server, TLSOptions(pinSHA256: pin)).code == .tlsUntrusted)
    }

    @Test("Our certificate is shown where it is asked for; without one the other end refuses")
    func clientCertificate() async throws {
        let server = Self.server(Self.good, clientCAFile: Self.stranger.caFile)
        let ours = try Self.stranger.issue(["DNS:gatehouse.test"])
        var tls = Self.trusting
        // In TLS 1.3 the refusal comes after the handshake, and a reset right behind it may overtake it.
        let refusals: [TransportFailure.Code?] = [.tlsRefused, .connectionClosed]
        #expect(refusals.contains(await Self.send(server, tls).code))
        tls.certFile = ours.certFile
        tls.keyFile = ours.keyFile
        #expect(try await Self.send(server, tls).get().status == 200)
        #expect(
            refusals.contains(await Self.send(server, Self.trusting).code),
            "another's connection has another's certificate")
    }

    @Test("A TLS file that cannot be read is our own fault and says so")
    func files() async throws {
        let server = Self.server(Self.good)
        let folder = TemporaryDirectory()
        let garbage = try folder.write("garbage.pem", "no certificate")
        for tls in [
            TLSOptions(caFile: folder.file("missing.pem")), TLSOptions(caFile: garbage),
            TLSOptions(caFile: Self.authority.caFile, certFile: folder.file("missing.pem")),
            TLSOptions(caFile: Self.authority.caFile, certFile: garbage),
            TLSOptions(caFile: Self.authority.caFile, certFile: Self.good.certFile, keyFile: garbage),
        ] {
            let failure = await Self.send(server, tls).failure
            #expect(failure?.code == .tlsCredentials, "\(tls): \(String(describing: failure))")
        }
    }

    @Test("A server without TLS, and one that never shakes hands, fail closed")
    func noTLS() async {
        let plain = ScriptedServer { $0.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") }
        #expect(await Self.send(plain, Self.trusting).code == .tls)
        let silent = ScriptedServer { $0.waitForClose() }
        let request = HTTPClientRequest(
            url: silent.url(scheme: "https"), connectTimeout: .milliseconds(300), tls: Self.trusting)
        #expect(await client.send(request).code == .connectTimeout)
    }

    @Test(
        "A pin is a Base64 key hash or a hexadecimal fingerprint, and nothing else",
        arguments: [
            ("sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", true),
            (String(repeating: "ab", count: 32), true),
            (Array(repeating: "AB", count: 32).joined(separator: ":"), true),
            ("sha256//AAAA", false), ("", false), (String(repeating: "ab", count: 31), false),
            (String(repeating: "g", count: 64), false),
            (Array(repeating: "A", count: 64).joined(separator: ":"), false),
            ("sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA;=", false), ("sha1//AAAA", false),
            (String(repeating: "１", count: 64), false),
        ])
    func pinForms(text: String, isPin: Bool) {
        #expect((CertificatePin(text) != nil) == isPin)
    }
}
