import Addresses
import Events
import Foundation
import HTTPClient
import JSON
import Logging
import Synchronization
import Testing
import YAML

@testable import Targets

/// A JSON string with this text.
func quoted(_ text: String) -> String {
    var writer = JSONWriter()
    writer.string(text)
    return String(decoding: writer.bytes, as: UTF8.self)
}

enum Sample {
    static let id = "6f0c2a9be1d34c5fa6b7c8d9e0f1a2b3"

    static let original = #"{"event":"visitor.signin","visitor":{"id":1234,"name":"John Smith"}}"#

    /// The members of `data` for an ordinary sign-in.
    static func members(name: String = "John Smith") -> [(String, String)] {
        [
            ("vendor", #""signinapp""#), ("vendor_event", #""visitor.signin""#), ("source", #""london""#),
            ("received_at", #""2020-01-01T12:00:02.000Z""#),
            ("site", #"{"id":"4567","name":"Acme Co","timezone":"Europe/London"}"#),
            ("group", #"{"name":"Contractor"}"#),
            ("visitor", #"{"id":"1234","name":\#(quoted(name)),"email":"john@example.com","returning":false}"#),
            ("host", #"{"id":"8","name":"Adele Vance","email":"adele@example.com"}"#),
            ("personal", #"{"role":"Director","Car Reg":"ABC 123"}"#), ("additional", #"{"Company":"Acme Ltd"}"#),
        ]
    }

    static func event(
        _ type: String = "visitor.signin", id: String = id, time: String = "2020-01-01T12:00:01.000Z",
        name: String = "John Smith", replacing: [String: String] = [:], original: String? = original
    ) throws -> EventView {
        var members = members(name: name).filter { replacing[$0.0] == nil }
        members += replacing.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        if let original { members.append(("original", original)) }
        let data = members.map { "\(quoted($0.0)):\($0.1)" }.joined(separator: ",")
        let text =
            #"{"specversion":"1.0","id":"\#(id)","source":"/sources/london","type":\#(quoted(type)),"#
            + #""subject":"visitor/1234","time":"\#(time)","datacontenttype":"application/json","#
            + #""dataschema":"urn:gatehouse:event:1","partitionkey":"4567/1234","data":{\#(data)}}"#
        return try #require(EventView(try JSONParser().parse(Array(text.utf8))))
    }

    static func outgoing(_ event: EventView, routes: [String] = ["desk", "siem"]) -> OutgoingEvent {
        OutgoingEvent(event: event, routes: routes)
    }
}

/// What visitors may type, all of it hostile to one reader or another.
enum Hostile {
    static let texts: [String] = [
        "CEF:0|x|y|1|z|w|9|act=owned",
        "a=b suser=root cs1=c\\=d",
        "line one\nline two\r\nline three\rfour",
        "\u{0}\u{1}\u{7}\u{1b}[31mred\u{1b}[0m\u{7f}\u{85}\u{9b}31m",
        "\u{202e}gnp.exe\u{202c} \u{2066}x\u{2069}",
        "👩‍👩‍👧‍👦 Zoë Ünïcødé 名前 \u{1F3F4}\u{E0067}\u{E007F}",
        "back\\slash \\n \\ ends with one \\",
        "pipe | pipe || equals == quote \" bracket ] </script><script>alert(1)</script>",
        "tab\there  and trailing spaces   \t \n",
        "   leading",
        "\u{2028}separators\u{2029}",
        "<13>1 2020-01-01T00:00:00Z evil app - - - forged",
        "}}{{ \"]} ,{\"id\":\"x\"}",
        "",
        " \t\r\n ",
        String(repeating: "=", count: 300) + String(repeating: "\\", count: 301),
        String(repeating: "é", count: 32_768),
        String(repeating: "a", count: 65_536),
    ]
}

/// Reads one target's YAML as the configuration does.
func decode(
    _ text: String, name: String = "siem", file: String = "/etc/gatehouse/gatehouse.yaml",
    environment: [String: String] = [:], unset: Diagnostic.Severity = .warning
) throws -> (blueprint: (any TargetBlueprint)?, messages: [String]) {
    var diagnostics = Diagnostics()
    let parsed = try #require(try parseYAML(Array(text.utf8), file: file))
    let node = resolveReferences(
        parsed, environment: { environment[$0] }, readFile: { _ in "" }, unset: unset, &diagnostics)
    let blueprint = TargetTypes.decode(name: name, node: node, &diagnostics)
    let prefix = file + ":"
    return (blueprint, diagnostics.sorted.map { String($0.description.dropFirst(prefix.count)) })
}

extension JSONTape {
    /// Everything in it as Foundation's values, for comparisons.
    static func object(_ bytes: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

enum AddressGuardOf {
    static let nothing = AddressGuard(allow: [])
}

/// One client for all tests.
let client = HTTPClient()

func testContext(now: @escaping @Sendable () -> Timestamp = { .now() }) -> TargetContext {
    TargetContext(client: client, hostname: "gate.test", logger: .silent, now: now)
}

extension Target {
    func send(_ outgoing: OutgoingEvent) async -> DeliveryOutcome {
        await withCheckedContinuation { continuation in
            send(outgoing) { continuation.resume(returning: $0) }
        }
    }
}

extension DeliveryOutcome {
    var failure: DeliveryFailure? { if case .failed(let failure) = self { failure } else { nil } }
    var receipt: DeliveryReceipt? { if case .delivered(let receipt) = self { receipt } else { nil } }
}

/// Values gathered from several threads.
final class Collected<Value: Sendable>: Sendable {
    private let storage = Mutex<[Value]>([])

    func append(_ value: Value) { storage.withLock { $0.append(value) } }
    var values: [Value] { storage.withLock { $0 } }
    var count: Int { storage.withLock { $0.count } }
}

extension Target {
    func send(_ batch: [OutgoingEvent]) async -> BatchOutcome {
        await withCheckedContinuation { continuation in
            send(batch: batch) { continuation.resume(returning: $0) }
        }
    }
}
