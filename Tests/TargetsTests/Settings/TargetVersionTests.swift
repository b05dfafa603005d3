import Events
import Foundation
import HTTPTypes
import JSON
import TestSupport
import Testing
import YAML

@testable import Targets

@Suite("A target's configuration, kept and read again")
struct TargetVersionTests {
    private func settings(_ text: String, environment: [String: String] = [:]) throws -> TargetSettings {
        let (blueprint, messages) = try decode(text, name: "crm", environment: environment, unset: .error)
        #expect(messages == [])
        return try #require(blueprint).settings
    }

    private func again(
        _ version: TargetVersion, present: TargetSettings? = nil, environment: [String: String] = [:]
    ) throws(TargetVersionError) -> any TargetBlueprint {
        try version.blueprint(present: present, environment: { environment[$0] }, readFile: { _ in "" })
    }

    private func why(
        _ version: TargetVersion, present: TargetSettings? = nil, environment: [String: String] = [:]
    ) -> String? {
        do throws(TargetVersionError) {
            _ = try again(version, present: present, environment: environment)
            return nil
        } catch {
            return error.message
        }
    }

    private static let whole = """
        type: http
        url: https://crm.example/v1/contacts
        method: PUT
        token: "${env:TOKEN}"
        timeout: 5s
        enabled: true
        description: "costs $${5} and \\u201cmore\\u201d"
        concurrency: 4
        allow: [10.0.0.0/8, "fd00::/8"]
        headers: {X-Version: "3", X-Literal-Key: k-literal, Accept: text/plain}
        body:
          email: "{visitor.email}"
          plain: no
          quoted: "no"
          number: 1e3
          api_secret: b-literal
        """

    @Test("comes back as it was")
    func roundTrip() throws {
        let environment = ["TOKEN": "t0ken"]
        let settings = try settings(Self.whole, environment: environment)
        let version = try #require(settings.version)
        let blueprint = try again(version, present: settings, environment: environment)
        #expect(blueprint.settings.fingerprint == settings.fingerprint)
        #expect(blueprint.settings.version == version && blueprint.settings.allow == settings.allow)
        let first = try #require(try decode(Self.whole, name: "crm", environment: environment).blueprint)
        let outgoing = Sample.outgoing(try Sample.event())
        func rendition(_ blueprint: any TargetBlueprint) throws -> TargetRendition {
            try blueprint.rendition(of: outgoing, hostname: "h", now: .now())
        }
        #expect(try rendition(blueprint) == rendition(first))
        #expect(blueprint.settings.description == "costs ${5} and “more”")
    }

    @Test("holds no secret, whether it stands there by reference or as it is")
    func noSecrets() throws {
        let version = try #require(try settings(Self.whole, environment: ["TOKEN": "t0ken"]).version)
        let source = text(version.source)
        for secret in ["t0ken", "k-literal", "b-literal"] { #expect(!source.contains(secret), "\(secret)") }
        #expect(source.contains("${env:TOKEN}") && source.contains("https://crm.example/v1/contacts"))
        for url in ["https://me:p4ss@crm.example/x", "https://crm.example/x?key=p4ss"] {
            let version = try #require(try settings("{type: webhook, url: \"\(url)\"}").version)
            let source = text(version.source)
            #expect(!source.contains("p4ss"), "\(source)")
        }
    }

    @Test("is not taken for what it was when a secret is another one, or is not there")
    func otherSecrets() throws {
        let environment = ["TOKEN": "t0ken"]
        let settings = try settings(Self.whole, environment: environment)
        let version = try #require(settings.version)
        let other = "a secret, or what a ${…} stands for, is not what it was then"
        #expect(why(version, present: settings, environment: ["TOKEN": "another"]) == other)
        #expect(why(version, present: settings)?.contains("TOKEN") == true)
        #expect(why(version, environment: environment) == "a secret of then no longer stands in the configuration")
        let changed = try self.settings(
            Self.whole.replacing("k-literal", with: "k-other"), environment: environment)
        #expect(why(version, present: changed, environment: environment) == other)
        let moved = try self.settings(
            Self.whole.replacing("timeout: 5s", with: "timeout: 6s"), environment: environment)
        #expect(why(version, present: moved, environment: environment) == nil, "what is no secret is of then")
    }

    @Test("tells configurations apart by what they say, not by how they are laid out")
    func identity() throws {
        func version(_ text: String) throws -> TargetVersion? { try settings(text).version }
        let one = try version("{type: webhook, url: \"https://a.example\", timeout: 5s}")
        #expect(try one == version("type: webhook\nurl: \"https://a.example\" # there\ntimeout: 5s\n"))
        #expect(try one != version("{type: webhook, url: \"https://a.example\", timeout: 6s}"))
        #expect(try one != version("{type: webhook, url: https://a.example, timeout: 5s}"))
    }

    @Test("a text that is none is refused in words", arguments: ["", "{}", "[1]", "{\"target\":\"a\",\"file\":\"b\"}"])
    func damaged(text: String) {
        let version = TargetVersion(hash: "x", source: Array(text.utf8))
        #expect(why(version) == "the configuration of then cannot be read")
    }
}

@Suite("What was sent, rendered again", .serialized)
struct SentAgainTests {
    /// What a target of the type needs, and where it may send to.
    private static func configuration(
        _ type: String, port: Int, folder: TemporaryDirectory, _ cluster: MockCluster?
    ) -> String {
        switch type {
        case "kafka":
            "{type: kafka, brokers: \"\(cluster?.brokers[0] ?? "")\", topic: visitors, allow: 127.0.0.1/32}"
        case "syslog": "{type: syslog, address: \"tcp://127.0.0.1:\(port)\", allow: 127.0.0.1/32, format: cef}"
        case "file": "{type: file, path: \"\(folder.file("out.ndjson"))\"}"
        case "http":
            """
            {type: http, url: "http://127.0.0.1:\(port)/x?key=s3cret", allow: 127.0.0.1/32, token: s3cret,
            body: {name: "{visitor.name}", id: "{id}"}}
            """
        default:
            """
            {type: \(type), url: "http://127.0.0.1:\(port)/x", allow: 127.0.0.1/32,
            sign: {scheme: github, secrets: [s3cret]}}
            """
        }
    }

    @Test("is the same for every type of target", arguments: TargetTypes.all.map(\.name))
    func everyType(type: String) async throws {
        let folder = TemporaryDirectory()
        let bodies = Collected<[UInt8]>()
        let cluster = type == "kafka" ? try MockCluster() : nil
        let server =
            type == "syslog"
            ? ScriptedServer { connection in
                while true {
                    let bytes = connection.read()
                    if bytes.isEmpty { return }
                    bodies.append(bytes)
                }
            }
            : ScriptedServer(answering: { request in
                bodies.append(request.body)
                return HTTPResponse(status: 200, headers: ["X-Mark": "m"], body: Array("ok".utf8))
            })
        let (decoded, messages) = try decode(
            Self.configuration(type, port: server.port, folder: folder, cluster), name: "crm")
        #expect(messages == [])
        let blueprint = try #require(decoded)
        let outgoing = Sample.outgoing(try Sample.event())
        let target = try blueprint.make(testContext())
        let receipt = try #require(await target.send(outgoing).receipt)
        target.close()
        let exchange = try #require(receipt.exchange)
        #expect(exchange.version == blueprint.settings.version && exchange.version != nil)
        #expect(exchange.request == nil, "what was delivered is not kept")
        #expect(exchange.size == receipt.bytes)
        let isHTTP = type == "http" || type == "webhook"
        #expect(exchange.answer?.body == (isHTTP ? Array("ok".utf8) : nil))

        let again = try #require(exchange.version).blueprint(
            present: blueprint.settings, environment: { _ in nil }, readFile: { _ in "" })
        func sent(_ outgoing: OutgoingEvent) throws -> TargetRendition? {
            try again.sent(
                [outgoing], hostname: "gate.test", timestampSeconds: exchange.signedAtSeconds, digest: exchange.digest)
        }
        let rendition = try #require(try sent(outgoing))
        #expect(rendition.bytes.count == exchange.size)
        if type == "file" {
            #expect(rendition.bytes == Array(try Data(contentsOf: URL(fileURLWithPath: folder.file("out.ndjson")))))
        } else if let cluster {
            #expect(try readTopic("visitors", cluster.brokers).map { Array($0.value.utf8) } == [rendition.bytes])
        } else if isHTTP {
            #expect(rendition.bytes == bodies.values.first)
        }
        #expect(!rendition.headers.contains { $0.value.contains("s3cret") })
        #expect(!rendition.destination.contains("s3cret"))
        #expect(try sent(Sample.outgoing(try Sample.event(name: "Somebody Else"))) == nil)
    }

    @Test("a failed attempt keeps its bytes, whatever came between", arguments: ["refused", "500", "rendering"])
    func failures(kind: String) async throws {
        let server = ScriptedServer(answering: { _ in HTTPResponse(status: 500, body: Array("no".utf8)) })
        let port = server.port
        if kind == "refused" { server.stop() }
        let keys = kind == "rendering" ? ", body: original" : ""
        let (blueprint, _) = try decode(
            "{type: webhook, url: \"http://127.0.0.1:\(port)/x\", allow: 127.0.0.1/32\(keys)}")
        let event = try Sample.event(original: kind == "rendering" ? nil : Sample.original)
        let target = try #require(blueprint).make(testContext())
        let failure = try #require(await target.send(Sample.outgoing(event)).failure)
        if kind == "rendering" {
            #expect(failure.exchange == nil)
        } else {
            #expect(failure.exchange?.request == event.payload)
            #expect(failure.exchange?.answer?.body == (kind == "500" ? Array("no".utf8) : nil))
        }
    }
}
