import Events
import HTTPClient
import HTTPTypes
import JSON
import Testing

@testable import Targets

@Suite("How the events of a batch stand in one body")
struct BatchWrapTests {
    private func request(_ keys: String, type: String = "http", events: [OutgoingEvent]? = nil) throws -> (
        body: String, type: String?
    ) {
        let (decoded, messages) = try decode("{type: \(type), url: \"https://x.example/\", \(keys)}")
        #expect(messages == [])
        let blueprint = try #require(decoded as? any RequestBlueprint)
        let headers = blueprint.request.headers(contentType: blueprint.contentType)
        let request = try blueprint.render(
            try events ?? BatchTests.outgoing(), headers: headers, timestampSeconds: 0)
        return (text(request.body), request.headers["Content-Type"])
    }

    private static let ids = BatchTests.ids

    @Test("an array, a line each, or one after the other")
    func forms() throws {
        let body = #"body: {id: "{id}"}"#
        let (one, two) = (#"{"id":"\#(Self.ids[0])"}"#, #"{"id":"\#(Self.ids[1])"}"#)
        #expect(try request("\(body), batch: {}") == ("[\(one),\(two)]", "application/json"))
        #expect(try request("\(body), batch: {wrap: array}") == ("[\(one),\(two)]", "application/json"))
        #expect(try request("\(body), batch: {wrap: ndjson}") == ("\(one)\n\(two)\n", "application/x-ndjson"))
        #expect(try request("\(body), batch: {wrap: concatenated}") == ("\(one)\(two)", "application/json"))
    }

    @Test("a line of its own before each, with the event's values")
    func before() throws {
        let (body, type) = try request(
            #"body: {n: 1}, batch: {wrap: ndjson, before: {create: {_index: visitors, _id: "{id}"}}}"#)
        let lines = Self.ids.map { #"{"create":{"_index":"visitors","_id":"\#($0)"}}"# + "\n" + #"{"n":1}"# + "\n" }
        #expect(body == lines.joined() && type == "application/x-ndjson")
    }

    @Test("inside of something else")
    func enclosed() throws {
        let (body, type) = try request(
            #"body: {n: 1}, batch: {wrap: {allOrNone: false, deep: [1, {inputs: "{events}"}], after: "a{{b}}"}}"#)
        #expect(body == #"{"allOrNone":false,"deep":[1,{"inputs":[{"n":1},{"n":1}]}],"after":"a{b}"}"#)
        #expect(type == "application/json")
        #expect(try request(#"body: {n: 1}, batch: {wrap: ["{events}", "x"]}"#).body == #"[[{"n":1},{"n":1}],"x"]"#)
    }

    @Test("webhooks too, with the content type of what it is")
    func webhook() throws {
        let payloads = try BatchTests.outgoing().map { text($0.event.payload) }
        #expect(
            try request("batch: {wrap: ndjson}", type: "webhook")
                == (payloads.map { $0 + "\n" }.joined(), "application/x-ndjson"))
        #expect(
            try request(#"batch: {wrap: {events: "{events}"}}"#, type: "webhook")
                == (#"{"events":[\#(payloads.joined(separator: ","))]}"#, "application/json"))
    }

    @Test(
        "whatever a visitor typed, and however a sender broke its lines, a line is one record", arguments: Hostile.texts
    )
    func lines(hostile: String) throws {
        let events = try ["{\n \"a\": \(quoted(hostile)),\r\n\t\"b\": 1}", "[\r]", "{}"].map { original in
            Sample.outgoing(try Sample.event(name: hostile, original: original))
        }
        for (keys, type) in [
            (#"body: {name: "{visitor.name}", original: "{original}"}, batch: {wrap: ndjson}"#, "http"),
            ("body: original, batch: {wrap: ndjson}", "webhook"), ("batch: {wrap: ndjson}", "webhook"),
        ] {
            let body = try request(keys, type: type, events: events).body
            let lines = body.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
            #expect(lines.count == events.count + 1 && lines.last?.isEmpty == true)
            for line in lines.dropLast() {
                #expect(!line.contains(0x0D))
                #expect(throws: Never.self) { try JSONParser().parse(Array(line)) }
            }
        }
    }

    @Test(
        "is checked when it is read",
        arguments: [
            ("wrap: list", "expected one of array, ndjson, concatenated, found `list`"),
            ("wrap: {a: 1}", #"this has no place for the events: let a value be "{events}""#),
            (#"wrap: {a: "{events}", b: "{events}"}"#, "the events stand here twice"),
            (#"wrap: {a: "x {events}"}"#, #"around the events of a batch there is only "{events}", a value by itself"#),
            (
                #"wrap: {a: "{id}", b: "{events}"}"#,
                #"around the events of a batch there is only "{events}", a value by itself"#
            ),
            ("wrap: {a: {events}}", #"write it in quotes: "{events}""#),
            ("before: {a: 1}", "`before:` is a line, and needs `wrap: ndjson`"),
            ("wrap: array, before: {a: 1}", "`before:` is a line, and needs `wrap: ndjson`"),
            (#"wrap: ndjson, before: {a: "{nobody}"}"#, "there is no field {nobody}"),
        ])
    func refused(keys: String, message: String) throws {
        let (blueprint, messages) = try decode("{type: http, url: \"https://x.example/\", batch: {\(keys)}}")
        #expect(blueprint == nil)
        #expect(messages.count == 1 && messages.first?.contains(message) == true, "\(messages)")
    }

    @Test("a webhook has no templates between its events")
    func webhookBefore() throws {
        let (blueprint, messages) = try decode(
            "{type: webhook, url: \"https://x.example/\", batch: {wrap: ndjson, before: {a: 1}}}")
        #expect(blueprint == nil && messages.first?.contains("only an http target") == true)
    }

    @Test("the events of a body template have no {events}")
    func templates() throws {
        let (blueprint, messages) = try decode("{type: http, url: \"https://x.example/\", body: {a: \"{events}\"}}")
        #expect(blueprint == nil && messages.count == 1)
    }
}
