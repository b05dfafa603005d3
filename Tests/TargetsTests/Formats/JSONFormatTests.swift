import Events
import Foundation
import JSON
import Testing

@testable import Targets

@Suite("The json format")
struct JSONFormatTests {
    private func render(_ event: EventView, original: Bool = true, limit: Int? = nil) throws -> [UInt8] {
        let policy = ContentPolicy(includesOriginal: original, includesBiometrics: false)
        return try JSONFormat().render(
            Sample.outgoing(event), RenderingOptions(policy: policy, hostname: "gate", limit: limit))
    }

    @Test("is the canonical event as it is kept")
    func canonical() throws {
        let event = try Sample.event()
        #expect(try render(event) == event.payload)
        #expect(try render(event, limit: event.payload.count) == event.payload)
    }

    @Test("is one line, whatever white space the sender wrote")
    func oneLine() throws {
        let event = try Sample.event(original: "{\r\n  \"a\": \"x\\n\",\n\t\"b\": [1,\n2]\n}")
        let line = try render(event)
        #expect(!line.contains(0x0A) && !line.contains(0x0D))
        let data = try #require(try JSONTape.object(line)["data"] as? [String: Any])
        let original = try #require(data["original"] as? [String: Any])
        #expect(original["a"] as? String == "x\n")
        #expect(original["b"] as? [Int] == [1, 2])
    }

    @Test("keeps any limit, stays valid JSON and says what it cut", arguments: [620, 700, 900, 1200, 1500, 2000, 4000])
    func limit(limit: Int) throws {
        let long = String(repeating: "né\u{1F600}\"\\\n", count: 3000)
        let event = try Sample.event(
            name: long,
            replacing: [
                "additional":
                    #"{"Company":\#(quoted(String(repeating: "z", count: 900))),"a/b~c":"\#(String(repeating: #"\ud83d\ude00"#, count: 200))"}"#
            ])
        let line = try render(event, original: false, limit: limit)
        #expect(line.count <= limit)
        let sent = try JSONTape.object(line)
        #expect(sent["id"] as? String == Sample.id)
        #expect(sent["type"] as? String == "visitor.signin")
        #expect(sent["time"] as? String == "2020-01-01T12:00:01.000Z")
        let data = try #require(sent["data"] as? [String: Any])
        let truncated = try #require(data["truncated"] as? [String])
        #expect(truncated.contains("/data/visitor/name"))
        let visitor = data["visitor"] as? [String: Any]
        if let name = visitor?["name"] as? String { #expect(long.hasPrefix(name)) }
        // What is not listed is as it was.
        for (path, value) in Self.leaves(try JSONTape.object(render(event, original: false))) {
            guard !truncated.contains(path), !truncated.contains(where: { path.hasPrefix($0 + "/") }) else { continue }
            let kept = Self.leaves(sent)[path] as? NSObject
            #expect(kept == value as? NSObject, "\(path)")
        }
    }

    @Test("cuts no character in two, also beside half of a pair of surrogates")
    func surrogates() throws {
        let whole = String(repeating: #"\ud800\né\udc00\\ \ud83d\ude00名\uD800\u00e9"#, count: 12)
        let event = try Sample.event(replacing: ["visitor": "{\"name\":\"\(whole)\"}"])
        let full = try render(event, original: false)
        for limit in full.count - 300..<full.count {
            let line = try render(event, original: false, limit: limit)
            #expect(line.count <= limit && String(validating: line, as: UTF8.self) != nil)
            let sent = try #require(try EventView(parsing: line, with: JSONParser()), "\(limit)")
            let (name, cut) = try (#require(event.text(.visitorName)), #require(sent.text(.visitorName)))
            #expect(name.unicodeScalars.starts(with: cut.unicodeScalars), "\(limit)")
        }
    }

    @Test("shortens only the longest text when that is enough")
    func longestFirst() throws {
        let event = try Sample.event(name: String(repeating: "x", count: 5000))
        let line = try render(event, original: false, limit: 3000)
        #expect(line.count <= 3000 && line.count > 2900)
        let data = try #require(try JSONTape.object(line)["data"] as? [String: Any])
        #expect(data["truncated"] as? [String] == ["/data/visitor/name"])
        #expect((data["host"] as? [String: Any])?["name"] as? String == "Adele Vance")
    }

    @Test("of a long event goes without the original before anything is cut")
    func originalFirst() throws {
        let event = try Sample.event(original: #"{"x":"\#(String(repeating: "y", count: 9000))"}"#)
        let line = try render(event, limit: 4000)
        let data = try #require(try JSONTape.object(line)["data"] as? [String: Any])
        #expect(data["original"] == nil && data["truncated"] == nil)
    }

    @Test("of an event with thousands of long keys names their group")
    func manyMembers() throws {
        let entries = (0..<3000).map { #""key \#($0) \#(String(repeating: "k", count: 100))":"v""# }
        let event = try Sample.event(replacing: ["additional": "{\(entries.joined(separator: ","))}"])
        let line = try render(event, original: false, limit: 8000)
        #expect(line.count <= 8000)
        let data = try #require(try JSONTape.object(line)["data"] as? [String: Any])
        let truncated = try #require(data["truncated"] as? [String])
        #expect(truncated.contains("/data/additional"))
        #expect(truncated.count < 40)
        #expect((data["visitor"] as? [String: Any])?["name"] as? String == "John Smith")
    }

    @Test("leaves out a large list or object whole, and names it")
    func containers() throws {
        let reasons = (0..<500).map { #"{"name":"r\#($0)","reason":"no"}"# }.joined(separator: ",")
        let event = try Sample.event(replacing: ["visit": #"{"id":"9","reasons":[\#(reasons)]}"#])
        let data = try #require(
            try JSONTape.object(render(event, original: false, limit: 2000))["data"] as? [String: Any])
        #expect(data["truncated"] as? [String] == ["/data/visit/reasons"])
        #expect((data["visit"] as? [String: Any])?["id"] as? String == "9")
    }

    @Test("refuses a limit that cannot hold what identifies the event")
    func impossible() throws {
        let event = try Sample.event()
        #expect(throws: RenderingError.self) { try render(event, limit: 100) }
    }

    /// Every scalar and list by its pointer.
    private static func leaves(_ value: Any, _ path: String = "") -> [String: Any] {
        guard let object = value as? [String: Any], !object.isEmpty else { return [path: value] }
        return object.reduce(into: [:]) { result, member in
            let key = member.key.replacing("~", with: "~0").replacing("/", with: "~1")
            result.merge(leaves(member.value, "\(path)/\(key)")) { $1 }
        }
    }
}
