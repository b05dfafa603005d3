import Configuration
import HTTPServer
import Testing

@Suite("The console's settings")
struct ConsoleSettingsTests {
    private static func load(
        _ console: String, more: String = "", environment: [String: String] = ["TOKEN": "a-token-of-24-characters"]
    ) throws -> (settings: ConsoleSettings?, messages: [String]) {
        let folder = try ConfigurationFolder(["gatehouse.yaml": "sources: {}\nconsole: \(console)\n\(more)\n"])
        let (configuration, messages) = folder.load(.running, environment: environment)
        return (configuration?.consoleSettings, messages)
    }

    private static let token = "{name: grafana, role: viewer, token: \"${env:TOKEN}\"}"

    @Test("are an address, or an address, tokens and whether it is open")
    func shapes() throws {
        #expect(try Self.load("127.0.0.1:9000").settings?.listen == .tcp(host: "127.0.0.1", port: 9000))
        let (settings, messages) = try Self.load("{listen: \"0.0.0.0:9000\", tokens: [\(Self.token)]}")
        #expect(messages == [])
        let token = try #require(settings?.tokens.first)
        #expect(token.name == "grafana")
        #expect(token.role == .viewer)
        #expect(token.team == nil)
        #expect(!"\(token)".contains("a-token-of"))
        #expect(settings?.isOpen == false)
        let open = try Self.load("{open: true}").settings
        #expect(open?.isOpen == true)
        #expect(open?.listen == .tcp(host: "127.0.0.1", port: 8081))
        #expect(try Self.load("{listen: \"[::1]:8081\", open: true}").settings?.isOpen == true)
        #expect(try Self.load("{listen: \"127.7.0.1:8081\", open: true}").settings?.isOpen == true)
    }

    @Test("may name a team")
    func team() throws {
        let teams = """
            teams: {london: {files: routes/, scope: {}, targets: []}}
            """
        let token = "{name: a, role: operator, team: london, token: \"${env:TOKEN}\"}"
        let settings = try Self.load("{tokens: [\(token)]}", more: teams).settings
        #expect(settings?.tokens.first?.team == "london")
        #expect(settings?.tokens.first?.role == .operator)
    }

    @Test(
        "are refused where they make no sense",
        arguments: [
            ("{listen: \"0.0.0.0:8081\", open: true}", "`open: true` lets everybody who reaches 0.0.0.0:8081"),
            ("{listen: \"192.0.2.1:8081\", open: true}", "`open: true` lets everybody"),
            ("{tokens: [{name: a, role: admin, token: x}]}", "expected one of viewer, operator"),
            ("{tokens: [{role: viewer, token: x}]}", "needs `name:`"),
            ("{tokens: [{name: a, token: x}]}", "needs `role:`"),
            ("{tokens: [{name: a, role: viewer}]}", "needs `token:`"),
            ("{tokens: [{name: a, role: viewer, token: \"\"}]}", "found an empty one"),
            ("{tokens: [{name: a, role: viewer, token: \"a b\"}]}", "white space"),
            ("{tokens: [{name: a/b, role: viewer, token: x}]}", "cannot be a token's name"),
            ("{tokens: [\(token), \(token)]}", "two tokens are called grafana"),
            (
                "{tokens: [\(token), {name: b, role: viewer, token: \"${env:TOKEN}\"}]}",
                "the tokens grafana and b are the same"
            ),
            ("{tokens: [{name: a, role: viewer, team: lodnon, token: x}]}", "no team is called `lodnon`"),
            ("{token: x}", "unknown key `token` in console"),
        ])
    func refused(console: String, message: String) throws {
        let (settings, messages) = try Self.load(console)
        #expect(settings == nil)
        #expect(messages.contains { $0.contains(message) }, "\(messages)")
    }

    @Test("warn of a token that can be guessed, and never quote one")
    func short() throws {
        let (settings, messages) = try Self.load("{tokens: [{name: a, role: viewer, token: s3cr3t}]}")
        #expect(settings?.tokens.count == 1)
        #expect(messages.contains { $0.contains("can be guessed") })
        #expect(!messages.joined().contains("s3cr3t"))
    }

    @Test("need their tokens' variables to run, and not to be checked")
    func unset() throws {
        #expect(try Self.load("{tokens: [\(Self.token)]}", environment: [:]).settings == nil)
        let folder = try ConfigurationFolder(["gatehouse.yaml": "sources: {}\nconsole: {tokens: [\(Self.token)]}\n"])
        let configuration = folder.load(.checking).configuration
        // Nobody can then present it.
        #expect(configuration?.consoleSettings.tokens.isEmpty == true)
    }
}
