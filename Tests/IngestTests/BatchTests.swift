import Addresses
import EventLog
import Events
import Foundation
import HTTPClient
import HTTPServer
import HTTPTypes
import Ingest
import JSON
import Metrics
import Signatures
import Simulator
import Synchronization
import Testing
import Vendors

@Suite("A batch")
struct BatchTests {
    private let netgraph = Vendors.named("netgraph")!

    private func element(_ index: Int, time: String = "2024-07-30T01:00:00Z") -> String {
        #"{"type":"signin.session.created","id":"e\#(index)","timestamp":"\#(time)","session":{"id":"s\#(index)"}}"#
    }

    @Test("of any size is taken whole and answered with exactly 200", arguments: [0, 1, 2, 257, 20_000])
    func sizes(count: Int) throws {
        let fixture = try IntakeFixture()
        let body = "[" + (0..<count).map { element($0) }.joined(separator: ",") + "]"
        #expect(fixture.postSigned(netgraph, Array(body.utf8))?.status == 200)
        #expect(fixture.log.records.count == count)
    }

    @Test(
        "keeps every good element whatever the bad one is and wherever it stands",
        arguments: [0, 1, 2, 3, 4],
        ["nope", "7", "\"text\"", "{\"a\":1,\"a\":2}", "{\"a\":01}", "", "[[[]]]", "{\"a\":\"\u{1}\"}"])
    func badElement(position: Int, bad: String) throws {
        let fixture = try IntakeFixture()
        var elements = (0..<4).map { element($0) }
        elements.insert(bad, at: position)
        #expect(fixture.postSigned(netgraph, Array("[\(elements.joined(separator: ","))]".utf8))?.status == 200)
        #expect(fixture.log.records.count == 4)
        let quarantined = fixture.log.quarantined
        #expect(quarantined.map(\.index) == [position])
        #expect(quarantined.first?.bytes == Array(bad.utf8))
        #expect(quarantined.first?.size == bad.utf8.count)
    }

    @Test(
        "whose structure is lost keeps what came before and the rest as one piece",
        arguments: [
            (#"{"a":[}},{"b":1}]"#, 2), (#"{"a":1"#, 2), ("\"open, {}]", 2), ("] trailing", 2),
        ])
    func lostStructure(rest: String, kept: Int) throws {
        let fixture = try IntakeFixture()
        let body = "[\(element(0)),\(element(1))" + (rest.hasPrefix("]") ? rest : ",\(rest)")
        #expect(fixture.postSigned(netgraph, Array(body.utf8))?.status == 200)
        #expect(fixture.log.records.count == kept)
        #expect(fixture.log.quarantined.count == 1)
    }

    @Test("is kept in the order of its events' times")
    func order() throws {
        let fixture = try IntakeFixture()
        let times = ["2024-07-30T03:00:00Z", "2024-07-30T01:00:00Z", "2024-07-30T02:00:00Z"]
        let body = "[" + times.enumerated().map { element($0.offset, time: $0.element) }.joined(separator: ",") + "]"
        #expect(fixture.postSigned(netgraph, Array(body.utf8))?.status == 200)
        #expect(fixture.log.records.map(\.timeMs) == fixture.log.records.map(\.timeMs).sorted())
        #expect(fixture.log.records.count == 3)
    }

    @Test("that comes again is acknowledged and kept once")
    func again() throws {
        let fixture = try IntakeFixture()
        let body = Array("[\(element(0)),nope,\(element(1))]".utf8)
        for _ in 0..<2 { #expect(fixture.postSigned(netgraph, body)?.status == 200) }
        #expect(fixture.log.records.count == 2)
        #expect(fixture.log.quarantined.count == 1)
    }

    @Test("is verified where its source says that it is signed", arguments: ["[{}]", "{}"])
    func signed(body: String) throws {
        let scheme = try #require(SignatureSchemes.named("github"))
        let secret = NamedSecret(name: "new", value: IntakeFixture.secret)
        let verifier = try SignatureVerifier(scheme: scheme, secrets: [secret], tolerance: .seconds(300))
        let fixture = try IntakeFixture { $0.authentication = SourceAuthentication(signature: verifier) }
        let bytes = Array(body.utf8)
        #expect(fixture.post(netgraph, bytes, [:])?.status == 401)
        #expect(fixture.log.records.isEmpty)
        let signer = try SignatureSigner(scheme: scheme, secrets: [secret])
        let fields = unsafe bytes.withUnsafeBytes { bytes in
            unsafe signer.headers(body: bytes, id: "1", url: "", timestampSeconds: 1)
        }
        #expect(fixture.post(netgraph, bytes, HeaderFields(fields))?.status == 200)
        #expect(fixture.log.records.count == 1)
    }

    @Test("may be a single object")
    func instant() throws {
        let fixture = try IntakeFixture()
        #expect(fixture.postSigned(netgraph, Array(" \n\(element(0))".utf8))?.status == 200)
        #expect(fixture.log.records.count == 1)
    }
}
