import Events
import HTTPClient
import HTTPTypes
import TestSupport
import Testing

@testable import Targets

/// What a target connects to besides its own URL is under the same guard.
@Suite("The address guard of a target")
struct WebhookGuardTests {
    private static let token =
        "type: http, url: \"https://crm.example/\", "
        + "auth: {oauth2: {token_url: \"https://login.example/t\", client_id: a, client_secret: b}}"

    @Test("holds for the endpoint of its tokens too")
    func tokens() throws {
        let blueprint = try #require(try decode("{\(Self.token), allow: 10.0.0.0/8}").blueprint)
        let requests = try #require(blueprint as? any RequestBlueprint)
        let oauth = try #require(requests.request.oauth)
        let asking = try oauth.request(now: .now())
        #expect(asking.addressGuard == blueprint.settings.addressGuard)
        let other = try #require(try decode("{\(Self.token)}").blueprint)
        #expect(asking.addressGuard != other.settings.addressGuard && asking.proxy == nil)
        let sending = try requests.render(
            [Sample.outgoing(try Sample.event())], headers: [:], timestampSeconds: 0)
        #expect(sending.addressGuard == asking.addressGuard && sending.proxy == nil && sending.unixSocket == nil)
    }

    @Test(
        "refuses a forbidden address of its token endpoint where it is written",
        arguments: ["127.0.0.1", "localhost", "[::1]", "[::ffff:169.254.169.254]", "10.0.0.1", "168.63.129.16"])
    func tokenAddress(host: String) throws {
        let (_, messages) = try decode("{\(Self.token.replacing("login.example", with: host))}")
        #expect(messages.count == 1 && messages[0].contains("allow: ["), "\(messages)")
    }

    @Test("holds when it is asked about a visitor")
    func asking() async throws {
        let server = ScriptedServer(answering: { _ in HTTPResponse(status: 200) })
        // The name is refused when it is read, so the settings are made by hand.
        let allowed = try #require(
            try decode("{type: webhook, url: \"http://localhost:\(server.port)/\", allow: [127.0.0.1/32, \"::1/128\"]}")
                .blueprint as? WebhookBlueprint)
        let settings = TargetSettings(name: "x", type: "webhook")
        let request = RequestSettings(settings: settings, endpoint: allowed.request.endpoint, headers: [:])
        let inquiry = try #require(
            TargetInquiry(
                WebhookBlueprint(request: request, body: .canonical, signer: nil, policy: ContentPolicy(settings))))
        let event = try Sample.event()
        let answer = await withCheckedContinuation { continuation in
            inquiry.ask(about: event, within: .seconds(20), testContext()) { continuation.resume(returning: $0) }
        }
        guard case .failure(let failure) = answer else {
            Issue.record("it was asked")
            return
        }
        #expect(failure.code == "address_refused" && server.connectionCount == 0)
    }
}
