import Foundation
import TestSupport
import Testing

@testable import Targets

@Suite("A syslog target's TLS and its connections")
struct SyslogSecurityTests {
    private func target(_ port: Int, _ tls: String) throws -> any Target {
        let (blueprint, messages) = try decode(
            "{type: syslog, address: \"tls://127.0.0.1:\(port)\", allow: 127.0.0.1/32, tls: {\(tls)}}")
        #expect(messages == [])
        return try #require(blueprint).make(testContext())
    }

    private func event(_ number: Int = 1) throws -> OutgoingEvent {
        Sample.outgoing(try Sample.event(name: "Visitor \(number)", original: nil))
    }

    @Test("takes the pinned certificate and no other, however trusted, and says what the pin of the other is")
    func pin() async throws {
        let authority = try LocalAuthority()
        let (identity, other) = (try authority.issue(), try authority.issue())
        for form in [authority.fingerprint, authority.publicKeyPin] {
            for (pinned, isRight) in [(identity, true), (other, false)] {
                let server = ScriptedServer(tls: ServerTLS(identity), script: { _ = $0.readAll() })
                let target = try target(server.port, "ca: \(authority.caFile), pin: \"\(try form(pinned))\"")
                let outcome = await target.send(try event())
                #expect((outcome.receipt != nil) == isRight)
                if !isRight {
                    #expect(outcome.failure?.code == "tls_pin")
                    #expect(outcome.failure?.message.contains("the pin is `\(try form(identity))`") == true)
                }
                target.close()
            }
        }
    }

    @Test("reads the files of certificates anew for each connection")
    func replaced() async throws {
        let folder = TemporaryDirectory()
        func install(_ file: String, as name: String) throws {
            let content = try #require(FileManager.default.contents(atPath: file))
            try content.write(to: URL(fileURLWithPath: folder.file(name)), options: .atomic)
        }
        let authorities = Collected<LocalAuthority>()
        let received = Collected<[UInt8]>()
        let server = ScriptedServer(
            tlsOfEach: {
                guard let authority = authorities.values.last else { return nil }
                return (try? authority.issue()).map { ServerTLS($0, clientCAFile: authority.caFile) }
            },
            script: { connection in
                received.append(connection.read(atMost: 1))
                connection.sayGoodbye()
            })
        let keys = ["ca": "ca.pem", "cert": "ours.pem", "key": "ours.key"].map { "\($0): \(folder.file($1))" }
        var target: (any Target)?
        for number in 1...2 {
            let authority = try LocalAuthority()
            authorities.append(authority)
            let ours = try authority.issue(["DNS:gatehouse.test"])
            for (file, name) in [(authority.caFile, "ca.pem"), (ours.certFile, "ours.pem"), (ours.keyFile, "ours.key")]
            {
                try install(file, as: name)
            }
            let made = try target ?? self.target(server.port, keys.joined(separator: ", "))
            target = made
            // That the connection before has ended may not be known yet.
            let deadline = ContinuousClock.now + .seconds(10)
            while await made.send(try event()).receipt == nil, ContinuousClock.now < deadline {}
            #expect(await poll { received.values.count { !$0.isEmpty } == number && server.openConnectionCount == 0 })
        }
        target?.close()
    }

    @Test("shows its certificate to a receiver that wants one; without it nothing is finished, and it says why")
    func clientCertificate() async throws {
        let authority = try LocalAuthority()
        let ours = try authority.issue(["DNS:gatehouse.test"])
        let received = Collected<[UInt8]>()
        let server = ScriptedServer(
            tls: ServerTLS(try authority.issue(), clientCAFile: authority.caFile),
            script: { received.append($0.readAll()) })
        let good = try target(
            server.port, "ca: \(authority.caFile), cert: \(ours.certFile), key: \(ours.keyFile)")
        #expect(await good.send(try event()).receipt != nil)
        good.close()
        #expect(await poll { received.values.contains { !$0.isEmpty } })

        let bad = try target(server.port, "ca: \(authority.caFile)")
        let news = Collected<ConnectionNews>()
        bad.watchConnections { news.append($0) }
        let outcome = await bad.send(try event())
        if let failure = outcome.failure {
            #expect(["tls_refused", "connection_closed"].contains(failure.code))
        } else {
            #expect(await poll { news.count == 1 })
            // A reset right behind the refusal may overtake it.
            let losses: [ConnectionNews] = [
                .lost(number: 1, code: "tls_refused"), .lost(number: 1, code: "connection_closed"),
            ]
            #expect(losses.contains(news.values[0]), "\(news.values)")
        }
        bad.close()
    }

    @Test("tells which connection took a message, and when that one breaks", arguments: ["tcp", "tls"])
    func breaks(scheme: String) async throws {
        let authority = try LocalAuthority()
        let tls = scheme == "tls" ? ServerTLS(try authority.issue()) : nil
        let server = ScriptedServer(
            tls: tls,
            script: { connection in
                _ = connection.read()
                if connection.number == 0 { connection.resetAtEnd() } else { _ = connection.readAll() }
            })
        let keys = scheme == "tls" ? ", tls: {ca: \(authority.caFile)}" : ""
        let (blueprint, _) = try decode(
            "{type: syslog, address: \"\(scheme)://127.0.0.1:\(server.port)\", allow: 127.0.0.1/32\(keys)}")
        let target = try #require(blueprint).make(testContext())
        let news = Collected<ConnectionNews>()
        target.watchConnections { news.append($0) }
        #expect(await target.send(try event()).receipt?.connection?.number == 1)
        #expect(await poll { news.count == 1 })
        guard case .lost(1, _) = news.values[0] else {
            Issue.record("\(news.values)")
            return
        }
        #expect(await target.send(try event()).failure?.code == "connection_closed", "before the loss is known")
        target.forgetLost(1)
        #expect(await target.send(try event()).receipt?.connection?.number == 2)
        target.close()
        #expect(await poll { news.count == 2 })
        #expect(news.values[1] == .drained(number: 2), "closed in order, and read to the end")
    }

    @Test("is not told that a receiver has read what it has not")
    func notDrained() async throws {
        let server = ScriptedServer(script: { connection in
            _ = connection.read(atMost: 1)
            connection.resetAtEnd()
        })
        let (blueprint, _) = try decode(
            "{type: syslog, address: \"tcp://127.0.0.1:\(server.port)\", allow: 127.0.0.1/32}")
        let target = try #require(blueprint).make(testContext())
        let news = Collected<ConnectionNews>()
        target.watchConnections { news.append($0) }
        target.send(try event()) { _ in }
        target.send(try event()) { _ in }
        #expect(await poll { news.count == 1 })
        target.close()
        #expect(news.values.allSatisfy { if case .lost = $0 { true } else { false } })
    }
}
