import Events
import Foundation
import HTTPClient
import HTTPTypes
import JSON
import Testing

@testable import Targets

/// Events of one visitor that go together become one record.
@Suite("Records of a CRM")
struct CRMTests {
    private static let keys = """
        type: http
        url: https://x.example/upsert
        key: "{visitor.email|lower}"
        batch: {wrap: {inputs: "{events}"}}
        body: {id: "{visitor.email|lower}", trace: "{id}", properties: {name: "{?visitor.name|filled}", phone: "{?visitor.phone}", car: "{?personal.Car Reg}"}}
        """

    private func blueprint(_ text: String = keys) throws -> HTTPBlueprint {
        let (decoded, messages) = try decode(text, name: "crm")
        #expect(messages == [])
        return try #require(decoded as? HTTPBlueprint)
    }

    private static func id(_ number: Int) -> String { String(repeating: "0", count: 30) + String(10 + number) }

    private func outgoing(_ visitors: [String], personal: [String] = []) throws -> [OutgoingEvent] {
        try visitors.enumerated().map { index, visitor in
            var replacing = ["visitor": visitor]
            replacing["personal"] = index < personal.count ? personal[index] : "{}"
            return Sample.outgoing(try Sample.event(id: Self.id(index), replacing: replacing))
        }
    }

    private func body(_ events: [OutgoingEvent], _ blueprint: HTTPBlueprint) throws -> String {
        text(try blueprint.render(events, headers: [:], timestampSeconds: 0).body)
    }

    @Test("are merged field by field: the last that says something wins, what only an earlier one said stays")
    func merged() throws {
        let events = try outgoing(
            [
                #"{"email":"Ann@acme.com","name":"Ann","phone":"1"}"#, #"{"email":"bob@acme.com","name":"Bob"}"#,
                #"{"email":"ann@ACME.com","name":"Ann Lee"}"#, #"{"email":"ann@acme.com","name":" "}"#,
            ], personal: ["{}", "{}", #"{"Car Reg":"ABC 123"}"#])
        #expect(
            try body(events, blueprint())
                == #"{"inputs":[{"id":"ann@acme.com","trace":"\#(Self.id(3))","#
                + #""properties":{"name":"Ann Lee","phone":"1","car":"ABC 123"}},"#
                + #"{"id":"bob@acme.com","trace":"\#(Self.id(1))","properties":{"name":"Bob"}}]}"#)
    }

    @Test("without a key in what is left of the event are not merged, nor with `merge: false`")
    func unmerged() throws {
        let events = try outgoing([#"{"name":"A"}"#, #"{"email":" "}"#, #"{"email":"a@b"}"#, #"{"email":"A@b"}"#])
        func count(_ blueprint: HTTPBlueprint) throws -> Int {
            let tape = try JSONParser().parse(Array(try body(events, blueprint).utf8))
            return tape.member(tape.root, "inputs").map(tape.count) ?? 0
        }
        #expect(try count(blueprint()) == 3)
        #expect(try count(blueprint(Self.keys + "\nmerge: false")) == 4)
    }

    @Test("share one outcome, by place and by name")
    func outcomes() throws {
        let events = try outgoing([#"{"email":"a@b"}"#, #"{"email":"c@d"}"#, #"{"email":"A@b"}"#, #"{"email":"e@f"}"#])
        for (response, answer) in [
            ("{items: {at: /r, ok: {/s: 1}}}", #"{"r":[{"s":1},{"s":0},{"s":1}]}"#),
            (
                "{items: {at: /r, id: /t, ok: {/s: 1}}}",
                #"{"r":[{"t":"\#(Self.id(3))","s":1},{"t":"\#(Self.id(1))","s":0},{"t":"\#(Self.id(2))","s":1}]}"#
            ),
            (
                #"{items: {at: /r, id: /m, event: "{visitor.email|lower}", ok: {/s: 1}}}"#,
                #"{"r":[{"m":"a@b","s":1},{"m":"c@d","s":0},{"m":"e@f","s":1}]}"#
            ),
        ] {
            let request = try blueprint(Self.keys + "\nresponse: \(response)").request
            let records = request.records(events)
            let judge = ResponseJudge(
                predicate: try #require(request.response),
                names: try #require(request.response).names(records.newest(events), ContentPolicy(request.settings)))
            let outcome = records.spread(
                FailureClassification.outcome(
                    HTTPClientResponse(status: 200, headers: [:], body: Array(answer.utf8)), bytes: 1, now: .now(),
                    judge: judge))
            guard case .each(let outcomes) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(outcomes.map { $0.failure?.code ?? "ok" } == ["ok", "answer_refused", "ok", "ok"])
        }
    }

    @Test("a request has the same idempotency key over all tries of the same events, and another one for others")
    func idempotency() throws {
        let events = try outgoing([#"{"email":"a@b"}"#, #"{"email":"c@d"}"#, #"{"email":"a@b"}"#])
        let blueprint = try blueprint()
        func key(_ events: [OutgoingEvent]) throws -> String? {
            try blueprint.render(events, headers: [:], timestampSeconds: 0).headers["Idempotency-Key"]
        }
        var again = events
        for index in again.indices { again[index].attempt += 1 }
        let first = try #require(try key(events))
        #expect(try key(again) == first)
        #expect(try key([events[0]]) == Self.id(0))
        #expect(try Set([first, key([events[0], events[1]]), key([events[1], events[0], events[2]])]).count == 3)
    }

    @Test("any merge is a merge of the parts: nothing is lost, nothing is doubled, hostile text stays text")
    func property() throws {
        var random = Repeatable(state: 7)
        for _ in 0..<60 {
            let visitors = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                let name = Hostile.texts.filter { $0.utf8.count < 400 }.randomElement(using: &random) ?? ""
                let phone = Bool.random(using: &random) ? #","phone":\#(quoted(name))"# : ""
                return
                    #"{"email":"\#(["a", "B", "c", ""].randomElement(using: &random) ?? "")","name":\#(quoted(name))\#(phone)}"#
            }
            let events = try outgoing(visitors)
            let records = try blueprint().request.records(events)
            // The oracle: one dictionary a key, filled event by event.
            var order: [String] = []
            var expected: [String: [String: String]] = [:]
            for (index, outgoing) in events.enumerated() {
                let email = outgoing.event.text(.visitorEmail)?.lowercased() ?? ""
                let key = email.isEmpty ? "none \(index)" : email
                if expected[key] == nil { order.append(key) }
                var record = expected[key] ?? [:]
                if let name = outgoing.event.text(.visitorName),
                    !name.unicodeScalars.allSatisfy(\.properties.isWhitespace)
                {
                    record["name"] = name
                }
                if let phone = outgoing.event.text(.visitorPhone) { record["phone"] = phone }
                expected[key] = record
            }
            let tape = try JSONParser().parse(Array(try body(events, blueprint()).utf8))
            let inputs = try tape.elements(#require(tape.member(tape.root, "inputs"))).map { record in
                let properties = try #require(tape.member(record, "properties"))
                return Dictionary(
                    uniqueKeysWithValues: tape.members(properties).map {
                        (tape.text($0.key) ?? "", tape.text($0.value) ?? "")
                    })
            }
            #expect(inputs.count == order.count)
            for (input, key) in zip(inputs, order) {
                let wanted = expected[key] ?? [:]
                #expect(input.count == wanted.count)
                for (name, value) in wanted { #expect(input[name]?.utf8.elementsEqual(value.utf8) == true) }
            }
            // Every event gets the outcome of its record, whatever the receiver says of each.
            let said = order.map { _ in Bool.random(using: &random) }
            let outcome = records.spread(
                .each(said.map { $0 ? .delivered(DeliveryReceipt(duration: .zero, bytes: 1)) : .failed(Self.refused) }))
            guard case .each(let outcomes) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            let keys = events.enumerated().map { index, outgoing in
                let email = outgoing.event.text(.visitorEmail)?.lowercased() ?? ""
                return email.isEmpty ? "none \(index)" : email
            }
            #expect(outcomes.map { $0.failure == nil } == keys.map { key in said[order.firstIndex(of: key) ?? 0] })
        }
    }

    private static let refused = DeliveryFailure(code: "answer_refused", message: "", blame: .event)

    @Test("nested objects are merged, lists and other values are taken whole, and null is a value")
    func deep() {
        func merge(_ texts: String...) -> String { text(RecordMerge.merge(texts.map { Array($0.utf8) })) }
        #expect(
            merge(#"{"a":{"b":1,"c":2},"l":[1,2]}"#, #"{"a":{"c":3,"d":4},"l":[3]}"#)
                == #"{"a":{"b":1,"c":3,"d":4},"l":[3]}"#)
        #expect(merge(#"{"a":1,"b":2}"#, #"{"a":null}"#) == #"{"a":null,"b":2}"#)
        #expect(merge(#"{"a":{"x":1}}"#, #"{"a":2}"#, #"{"a":{"y":3}}"#) == #"{"a":{"y":3}}"#)
        #expect(merge("[1]", "2") == "2")
        #expect(merge(#"{"a\u0062":1}"#, #"{"ab":2}"#) == #"{"ab":2}"#)
        #expect(merge(#"{"a":1}"#) == #"{"a":1}"#)
    }

    @Test("a default is what is said when no event has anything to say, whichever comes last")
    func defaults() throws {
        let blueprint = try blueprint(
            """
            type: http
            url: https://x.example/upsert
            key: "{visitor.email|lower}"
            batch: {wrap: {inputs: "{events}"}}
            body:
              last: "{visitor.last_name|default:Visitor}"
              greeting: "Dear {visitor.first_name|default:guest}"
              n: {phone: "{visitor.phone|default:null}", tags: ["{visitor.company|default:none}"]}
            """)
        let events = try outgoing([
            #"{"email":"a@b"}"#, #"{"email":"a@b","last_name":"Smith","phone":"1","company":"Acme"}"#,
            #"{"email":"a@b","first_name":"Ann","last_name":" "}"#, #"{"email":"A@b"}"#, #"{"email":"c@d"}"#,
        ])
        #expect(
            try body(events, blueprint)
                == #"{"inputs":[{"last":"Smith","greeting":"Dear Ann","n":{"phone":"1","tags":["none"]}},"#
                + #"{"last":"Visitor","greeting":"Dear guest","n":{"phone":null,"tags":["none"]}}]}"#)
        #expect(try body([events[3]], blueprint).contains(#""last":"Visitor""#))
    }

    @Test("what is nested deeper than anybody's form is taken whole, and nothing of it is lost that was on top")
    func tooDeep() throws {
        func nested(_ depth: Int, _ inner: String) -> String {
            String(repeating: #"{"a":"#, count: depth) + inner + String(repeating: "}", count: depth)
        }
        let shallow = RecordMerge.merge([Array(nested(20, #"{"x":1}"#).utf8), Array(nested(20, #"{"y":2}"#).utf8)])
        #expect(text(shallow) == nested(20, #"{"x":1,"y":2}"#))
        for depth in [100, 1500] {
            let bodies = [#"{"first":1,"b":\#(nested(depth, "1"))}"#, #"{"b":\#(nested(depth, "2"))}"#]
            let merged = text(RecordMerge.merge(bodies.map { Array($0.utf8) }))
            #expect(merged == #"{"first":1,"b":\#(nested(depth, "2"))}"#)
        }
    }

    @Test("ask for order by key unless something else is said")
    func order() throws {
        #expect(try blueprint().settings.order == .key)
        #expect(try blueprint(Self.keys + "\norder: none").settings.order == .none)
        #expect(try blueprint("{type: http, url: \"https://x.example/\"}").settings.order == .none)
    }

    @Test(
        "key, merge, only_if and opt_out that make no sense are refused",
        arguments: [
            ("key: x", "`key:` says by which of its values"),
            ("key: \"{visitor}\"", "`key:` says by which of its values"),
            ("key: \"{?visitor.email}\"", "none of them marked with a ?"),
            ("key: \"{visitor.email|default:x}\"", "would make one record of everybody"),
            ("key: \"{visitor.mail}\"", "there is no field {visitor.mail}"),
            ("key: {visitor.email}", "write it in quotes"),
            ("merge: true", "it needs `key:`, `batch:` and a `body:`"),
            ("key: \"{visitor.id}\", merge: true", "it needs `key:`, `batch:` and a `body:`"),
            ("opt_out: ~", "`opt_out:` is empty"), ("merge: maybe", "true"),
        ])
    func mistakes(keys: String, message: String) throws {
        let (decoded, messages) = try decode("{type: http, url: \"https://x.example/\", \(keys)}")
        #expect(decoded == nil)
        #expect(messages.contains { $0.contains(message) }, "\(messages)")
    }

    @Test("only_if and opt_out are of every type, key and merge of http alone")
    func types() throws {
        let (file, messages) = try decode("{type: file, path: /tmp/x.ndjson, only_if: {site: 1}, opt_out: gone}")
        #expect(messages == [] && file?.settings.admission?.onlyIf != nil && file?.settings.admission?.optOut != nil)
        let (none, refused) = try decode("{type: file, path: /tmp/x.ndjson, key: \"{visitor.id}\"}")
        #expect(none == nil && refused.count == 1)
    }
}
