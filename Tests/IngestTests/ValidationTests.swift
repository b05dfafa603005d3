import EventLog
import Foundation
import HTTPClient
import HTTPTypes
import Ingest
import JSON
import Synchronization
import Testing
import Vendors

@Suite("A set-up request")
struct ValidationTests {
    private struct DiskFull: Error {}

    private let envoy = Vendors.named("envoy")!

    private func post(_ fixture: IntakeFixture, _ body: String) -> HTTPClientResponse? {
        fixture.postSigned(envoy, Array(body.utf8), suffix: "/validate")
    }

    /// What the sender shows its user.
    private func message(_ response: HTTPClientResponse?) throws -> String? {
        let tape = try JSONParser().parse(try #require(response).body)
        return tape.member(tape.root, "message").flatMap { tape.text($0) }
    }

    @Test("is answered when what it tells of the installation is kept", arguments: ["3088", "\"3088\""])
    func kept(id: String) throws {
        let kept = Mutex<[AppInstallation]>([])
        let fixture = try IntakeFixture(keepInstallation: { installation in kept.withLock { $0.append(installation) } })
        let answer = post(fixture, "{\"meta\":{\"install_id\":\(id),\"route\":\"validate\"},\"payload\":{\"a\":1}}")
        #expect(shown(answer) == "200 {}")
        #expect(kept.withLock { $0.map(\.id) } == ["3088"])
        #expect(kept.withLock { $0.map(\.source) } == ["from-envoy"])
        #expect(fixture.log.records.isEmpty && fixture.refusals.all.isEmpty)
    }

    @Test(
        "that names no installation is answered all the same", arguments: ["{}", "[]", "{\"meta\":{}}", "{\"meta\":7}"])
    func nameless(body: String) throws {
        let kept = Mutex(0)
        let fixture = try IntakeFixture(keepInstallation: { _ in kept.withLock { $0 += 1 } })
        #expect(shown(post(fixture, body)) == "200 {}")
        #expect(kept.withLock { $0 } == 0)
    }

    @Test(
        "that cannot be taken stops the set-up with a message",
        arguments: [
            ("{", 400, "malformed_json"), ("{\"meta\":{\"install_id\":\"../x\"}}", 400, "installation_malformed"),
            ("{\"meta\":{\"install_id\":\"\(String(repeating: "1", count: 65))\"}}", 400, "installation_malformed"),
            ("{\"meta\":{\"install_id\":9}}", 503, "log_unavailable"),
        ])
    func refused(body: String, status: Int, code: String) throws {
        let fixture = try IntakeFixture(keepInstallation: { _ in throw DiskFull() })
        let answer = post(fixture, body)
        #expect(answer?.status == status)
        #expect(fixture.lastRefusal()?.code == code)
        #expect(try message(answer)?.isEmpty == false)
    }

    @Test("that is not signed, or too large, is refused with a message too")
    func unverified() throws {
        let fixture = try IntakeFixture()
        let unsigned = fixture.post(envoy, Array("{}".utf8), [:], suffix: "/validate")
        #expect(unsigned?.status == 401)
        #expect(try message(unsigned)?.isEmpty == false)
        let large = post(fixture, String(repeating: " ", count: envoy.traits.maximumBody + 1))
        #expect(large?.status == 413)
        #expect(try message(large)?.isEmpty == false)
        let event = fixture.post(envoy, Array("{}".utf8), [:])
        #expect(try message(event) == nil, "only a set-up's user reads it")
    }

    @Test("decides nothing, of a source that decides")
    func decides() throws {
        let fixture = try IntakeFixture(
            { $0.mode = .decision }, decisions: try decisionPlan("decisions: [{name: a, deny: x}]\n"))
        #expect(shown(post(fixture, #"{"meta":{"event":"entry_sign_in","install_id":1}}"#)) == "200 {}")
        #expect(fixture.log.records.isEmpty)
    }

    @Test("of a sender that has none is not found")
    func others() throws {
        let fixture = try IntakeFixture()
        let sine = try #require(Vendors.named("sine"))
        #expect(fixture.postSigned(sine, Array("{}".utf8), suffix: "/validate")?.status == 404)
    }
}
