import Addresses
import Events
import HTTPClient
import HTTPTypes
import Testing
import YAML

@testable import Targets

@Suite("A target's configuration")
struct TargetDecodingTests {
    struct Wrong: Sendable, CustomTestStringConvertible {
        var text: String
        var message: String
        var testDescription: String { message }

        init(_ text: String, _ message: String) {
            self.text = text
            self.message = message
        }
    }

    @Test("gives every type its shared settings")
    func sharedSettings() throws {
        let (blueprint, messages) = try decode(
            """
            type: webhook
            url: https://partner.example/hook
            description: The partner's endpoint
            enabled: false
            start: 2026-01-31T08:00:00Z
            allow: [10.0.0.0/8, "fd00::/8"]
            concurrency: 4
            timeout: 5s
            attempts: 9
            give_up_after: 2d
            original: false
            biometrics: send
            tls: {ca: ca.pem, cert: /etc/client.pem, key: client.key, pin: "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
            """, name: "partner")
        #expect(messages == [])
        let settings = try #require(blueprint?.settings)
        #expect(settings.name == "partner" && settings.type == "webhook")
        #expect(settings.description == "The partner's endpoint" && !settings.enabled)
        #expect(settings.start == .time(Timestamp("2026-01-31T08:00:00Z")!))
        #expect(settings.allow.map(\.description) == ["10.0.0.0/8", "fd00::/8"])
        #expect(settings.concurrency == 4 && settings.attempts == 9)
        #expect(settings.timeout == .seconds(5) && settings.giveUpAfter == .seconds(172_800))
        #expect(!settings.sendsOriginal && settings.sendsBiometrics)
        #expect(settings.tls.caFile == "/etc/gatehouse/ca.pem" && settings.tls.keyFile == "/etc/gatehouse/client.key")
        #expect(settings.tls.certFile == "/etc/client.pem" && settings.tls.pinSHA256?.hasPrefix("sha256//") == true)
    }

    @Test(
        "has the defaults of the contract",
        arguments: [
            "{type: webhook, url: \"https://x.example/\"}", "{type: http, url: \"https://x.example/\"}",
            "{type: syslog, address: \"tls://siem.example\"}", "{type: file, path: out.ndjson}",
        ])
    func defaults(text: String) throws {
        let (blueprint, messages) = try decode(text)
        #expect(messages == [])
        let settings = try #require(blueprint?.settings)
        #expect(settings.enabled && settings.start == .now && settings.allow.isEmpty)
        #expect(settings.concurrency == 32 && settings.timeout == .seconds(30) && settings.attempts == 5)
        #expect(settings.giveUpAfter == nil && settings.sendsOriginal && !settings.sendsBiometrics)
        #expect(settings.tls == TLSOptions())
    }

    @Test(
        "is wrong, and says where and why",
        arguments: [
            Wrong(
                "{type: sysloog, address: \"tls://x.example\"}",
                "1:8: expected one of syslog, http, webhook, file, kafka, found `sysloog` (did you mean syslog?)"),
            Wrong("{url: \"https://x.example\"}", "1:1: target siem needs `type:`"),
            Wrong("{type: syslog}", "1:1: target siem needs `address:`"),
            Wrong("{type: webhook, url: \"https://x.example\", adress: 1}", "unknown key `adress` in target siem"),
            Wrong("{type: http, url: \"https://x.example\", preset: hubspot}", "preset hubspot needs `token:`"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", redacts: [email]}", "unknown key `redacts` in target siem"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", start: never}",
                "expected now, beginning or a time such as 2026-01-31T08:00:00Z, found `never`"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", allow: [10.1.2.3/8]}",
                "expected a network such as 10.0.0.0/8 or fd00::/8, found `10.1.2.3/8` (did you mean 10.0.0.0/8?)"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", concurrency: 0}",
                "expected a whole number from 1 to 1024, found `0`"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", biometrics: keep}", "expected one of send, found `keep`"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", tls: {key: k.pem}}",
                "`key:` is the key of a client certificate: add `cert:`"),
            Wrong("{type: webhook, url: \"https://x.example\", tls: {pin: abc}}", "expected sha256//…"),
            Wrong("{type: webhook, url: \"http://x.example\", tls: {ca: c.pem}}", "`tls:` needs an https:// URL"),
            Wrong(
                "{type: webhook, url: \"ftp://x.example/\"}",
                "1:22: `ftp://x.example/` must begin with one of https://, http://"),
            Wrong(
                "{type: webhook, url: \"x.example/hook\"}", "`x.example/hook` must begin with one of https://, http://"),
            Wrong("{type: webhook, url: \"https://x.example/#top\"}", "`https://x.example/` has a fragment (#…)"),
            Wrong("{type: webhook, url: \"https://x.example/a b\"}", "holds a character no URL has"),
            Wrong("{type: webhook, url: \"https://bücher.example/\"}", "write a host in its ASCII form (xn--…)"),
            Wrong(
                "{type: webhook, url: \"https://x.example:99999/\"}", "has a port that is not a number from 1 to 65535"),
            Wrong("{type: webhook, url: \"https:///hook\"}", "has no host"),
            Wrong("{type: webhook, url: \"https://[::g]/\"}", "has no IPv6 address between its brackets"),
            Wrong("{type: webhook, url: \"https://a@b@c.example/\"}", "has more than one @"),
            Wrong(
                "{type: webhook, url: \"https://127.1/\"}",
                "is neither a name nor an IPv4 address of four decimal numbers"),
            Wrong(
                "{type: webhook, url: \"https://0x7f000001/\"}",
                "is neither a name nor an IPv4 address of four decimal numbers"),
            Wrong(
                "{type: webhook, url: \"https://2130706433/\"}",
                "is neither a name nor an IPv4 address of four decimal numbers"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", body: origin}",
                "expected one of canonical, original, cloudevent-binary, found `origin` (did you mean original?)"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", body: original, original: false}", "contradict each other"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", sign: {scheme: standard-webhooks}}",
                "sign needs `secrets:`"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", sign: {scheme: stripes, secrets: x}}",
                "(did you mean stripe?)"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", sign: {scheme: standard-webhooks, secrets: whsec_%%%}}",
                "secret 1: is not base64 after whsec_"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", headers: {\"X-A\": \"a\\r\\nX-B: b\"}}",
                "the value of X-A holds a line end or another control character"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", headers: {\"X-A\": \"a\\0b\"}}",
                "the value of X-A holds a line end or another control character"),
            Wrong("{type: webhook, url: \"https://x.example\", headers: {\"X A\": b}}", "`X A` is no header name"),
            Wrong("{type: webhook, url: \"https://x.example\", headers: {\"X:A\": b}}", "`X:A` is no header name"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", headers: {Transfer-Encoding: chunked}}",
                "Transfer-Encoding belongs to the connection and cannot be set"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", headers: {host: y.example}}",
                "host belongs to the connection and cannot be set"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", headers: {Webhook-Id: x}}",
                "Webhook-Id is written by the target itself and cannot be set"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", headers: {CE-Type: x}}",
                "CE-Type is written by the target itself and cannot be set"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", headers: {x-hub-signature-256: x}, sign: {scheme: github, secrets: s}}",
                "x-hub-signature-256 is written by the target itself"),
            Wrong(
                "{type: webhook, url: \"https://x.example\", headers: {x-a: a, X-A: b}}",
                "the header X-A stands here twice"),
            Wrong(
                "{type: http, url: \"https://x.example\", headers: {idempotency-key: k}}",
                "idempotency-key is written by the target itself and cannot be set"),
            Wrong(
                "{type: http, url: \"https://x.example\", method: FETCH}",
                "expected one of POST, PUT, PATCH, DELETE, GET, found `FETCH`"),
            Wrong("{type: http, url: \"https://x.example\", method: GET, body: {a: b}}", "a GET request has no body"),
            Wrong(
                "{type: http, url: \"https://x.example\", token: \"a b\"}",
                "a bearer token is a text of visible ASCII characters without spaces"),
            Wrong(
                "{type: http, url: \"https://x.example\", token: a, auth: {basic: {user: u, password: p}}}",
                "keep one of `token:`, `bearer:`, `basic:`"),
            Wrong(
                "{type: http, url: \"https://x.example\", auth: {}}",
                "`auth:` takes `none`, or one of"),
            Wrong(
                "{type: http, url: \"https://x.example\", auth: {basic: {user: \"a:b\", password: p}}}", "has no colon"),
            Wrong(
                "{type: http, url: \"https://u:p@x.example\", token: a}", "in more than one way how it authenticates"),
            Wrong(
                "{type: syslog, address: \"https://x.example\"}",
                "`https://x.example` must begin with one of tls://, tcp://, udp://"),
            Wrong(
                "{type: syslog, address: \"tcp://x.example/path\"}",
                "takes a host and a port, and nothing else: tls://host:port"),
            Wrong("{type: syslog, address: \"tcp://x.example\", tls: {ca: c.pem}}", "`tls:` needs a tls:// address"),
            Wrong(
                "{type: syslog, address: \"udp://x.example\", framing: newline}",
                "a datagram is one message: udp:// has no framing"),
            Wrong(
                "{type: syslog, address: \"udp://x.example\", max_bytes: 70000}", "a datagram holds at most 65507 bytes"
            ),
            Wrong(
                "{type: syslog, address: \"tcp://x.example\", max_bytes: 480}",
                "expected 1024 to 1048576 bytes, found `480`"),
            Wrong(
                "{type: syslog, address: \"tcp://x.example\", facility: local9}",
                "expected a facility such as local4, or its number from 0 to 23, found `local9`"),
            Wrong(
                "{type: syslog, address: \"tcp://x.example\", hostname: \"my host\"}",
                "at most 255 visible ASCII characters"),
            Wrong(
                "{type: syslog, address: \"tcp://x.example\", format: xml}",
                "expected one of json, cef, leef, ocsf, ecs, cloudevents, original, found `xml`"),
            Wrong(
                "{type: syslog, address: \"tcp://x.example\", original: true}",
                "syslog never carries the sender's original payload"),
            Wrong("{type: syslog, address: \"tcp://x.example\", biometrics: send}", "syslog never carries biometrics"),
            Wrong("{type: file, path: out/}", "`path:` must be that of a file"),
            Wrong("{type: file, path: out, rotate: {keep: 3}}", "`rotate:` needs `size:`, `every:` or both"),
            Wrong("{type: file, path: out, rotate: {size: 10B}}", "a file is rotated at 1KiB at the least"),
            Wrong("{type: file, path: out, allow: [10.0.0.0/8]}", "a file is on no network"),
        ])
    func mistakes(wrong: Wrong) throws {
        let (blueprint, messages) = try decode(wrong.text)
        #expect(blueprint == nil)
        #expect(messages.contains { $0.contains(wrong.message) }, "\(messages)")
    }

    struct Refused: Sendable {
        var address: String
        var line: String
    }

    @Test(
        "refuses a literal address inside, and prints the line that would allow it",
        arguments: [
            Refused(address: "127.0.0.1", line: "allow: [127.0.0.1/32]"),
            Refused(address: "10.1.2.3", line: "allow: [10.1.2.3/32]"),
            Refused(address: "169.254.169.254", line: "allow: [169.254.169.254/32]"),
            Refused(address: "100.64.0.1", line: "allow: [100.64.0.1/32]"),
            Refused(address: "[::1]", line: "allow: [::1/128]"),
            Refused(address: "[fe80::1]", line: "allow: [fe80::1/128]"),
            Refused(address: "[::ffff:127.0.0.1]", line: "allow: [127.0.0.1/32]"),
            Refused(address: "localhost", line: "allow: [127.0.0.1/32]"),
        ])
    func guarded(refused: Refused) throws {
        for target in [
            "type: webhook, url: \"http://\(refused.address):80/\"",
            "type: syslog, address: \"tcp://\(refused.address):514\"",
        ] {
            let (_, messages) = try decode("{\(target)}")
            #expect(messages.count == 1)
            #expect(messages.first?.contains("add `\(refused.line)`") == true, "\(messages)")
            // The list is quoted where YAML would not take an address as it stands.
            let network = refused.line.dropFirst("allow: [".count).dropLast()
            #expect(try decode("{\(target), allow: [\"\(network)\"]}").messages == [])
        }
    }

    @Test("is told by its fingerprint, whatever the style and the comments")
    func fingerprint() throws {
        func fingerprint(_ text: String, _ environment: [String: String] = [:]) throws -> String {
            try #require(try decode(text, environment: environment).blueprint).settings.fingerprint
        }
        let one = try fingerprint("{type: webhook, url: \"https://x.example/\"}")
        #expect(one == (try fingerprint("# a comment\ntype: webhook\nurl: \"https://x.example/\"\n")))
        #expect(one != (try fingerprint("{type: webhook, url: \"https://x.example/2\"}")))
        #expect(one != (try fingerprint("{type: webhook, url: \"https://x.example/\", attempts: 5}")))
        let secret = "{type: webhook, url: \"https://x.example/\", headers: {x-key: \"${env:KEY}\"}}"
        #expect(try fingerprint(secret, ["KEY": "a"]) != fingerprint(secret, ["KEY": "b"]))
    }
}

@Suite("A target's secrets")
struct TargetSecretTests {
    private static let everything = """
        type: webhook
        url: "https://user:${env:PASSWORD}@partner.example/hook/${env:PATH_KEY}?key=${env:KEY}"
        headers: {x-key: "${env:KEY}"}
        sign: {scheme: standard-webhooks, secrets: ["${env:SIGNING}"]}
        """
    private static let environment = [
        "PASSWORD": "pass-secret", "PATH_KEY": "path-secret", "KEY": "key-secret", "SIGNING": "whsec_c2lnbmluZw==",
    ]

    @Test("show nowhere: the destination has no user, no query, nothing of a reference")
    func destination() throws {
        let (blueprint, messages) = try decode(Self.everything, environment: Self.environment)
        #expect(messages == [])
        #expect(blueprint?.destination == "https://partner.example/hook/${env:PATH_KEY}")
        let plain = try decode("{type: http, url: \"https://me:pw@x.example:8443/a/b?token=t\"}").blueprint
        #expect(plain?.destination == "https://x.example:8443/a/b")
    }

    @Test("in an address do not show in its error")
    func errors() throws {
        let texts = [
            "{type: webhook, url: \"${env:URL}\"}", "{type: syslog, address: \"${env:URL}\"}",
            "{type: http, url: \"https://x.example\", token: \"${env:URL}\"}",
            "{type: http, url: \"https://x.example\", headers: {a: \"${env:URL}\"}}",
            "{type: syslog, address: \"tcp://x.example\", hostname: \"${env:URL}\", facility: \"${env:URL}\"}",
            "{type: webhook, url: \"https://x.example\", sign: {scheme: envoy, secrets: [\"${env:URL}\"]}, start: \"${env:URL}\", allow: \"${env:URL}\"}",
        ]
        for value in ["http://10.99.88.77/s3cret", "s3cret 10.99.88.77\r\n", "http://s3cret@10.99.88.77:99999/"] {
            for text in texts {
                let (blueprint, messages) = try decode(text, environment: ["URL": value])
                #expect(messages.allSatisfy { !$0.contains("s3cret") && !$0.contains("99.88") }, "\(messages)")
                #expect(blueprint?.destination.contains("s3cret") != true)
            }
        }
    }

    @Test("that are missing make no error here, and a target that cannot be made")
    func unresolved() throws {
        let (blueprint, messages) = try decode(Self.everything)
        #expect(messages.allSatisfy { $0.contains("warning") })
        let found = try #require(blueprint)
        #expect(found.settings.name == "siem")
        #expect(throws: TargetError.self) { try found.make(testContext()) }
    }

    @Test("of the URL's user go into Authorization, percent-decoded, and leave the URL")
    func userInfo() throws {
        let blueprint = try #require(
            try decode("{type: http, url: \"https://m%40e:p%3Aw@x.example/a?b=c\"}").blueprint as? HTTPBlueprint)
        #expect(blueprint.request.endpoint.url == "https://x.example/a?b=c")
        // printf 'm@e:p:w' | base64
        #expect(blueprint.request.headers["authorization"] == "Basic bUBlOnA6dw==")
    }
}
