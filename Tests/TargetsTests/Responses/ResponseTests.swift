import Events
import HTTPClient
import HTTPTypes
import Testing

@testable import Targets

@Suite("What an answer of 2xx says")
struct ResponseTests {
    /// The outcome for a batch of the two events of `BatchTests`, in short: `ok`, or code and blame.
    private func outcome(
        _ response: String, _ answer: String, status: Int = 200, headers: HeaderFields = [:], isCut: Bool = false
    ) throws -> (isWhole: Bool, each: [String], first: DeliveryFailure?) {
        let (decoded, messages) = try decode(
            "{type: http, url: \"https://x.example/\", batch: {}, response: \(response)}")
        #expect(messages == [])
        let blueprint = try #require(decoded as? HTTPBlueprint)
        let predicate = try #require(blueprint.request.response)
        let judge = ResponseJudge(
            predicate: predicate, names: predicate.names(try BatchTests.outgoing(), blueprint.policy))
        let outcome = FailureClassification.outcome(
            HTTPClientResponse(status: status, headers: headers, body: Array(answer.utf8), isTruncated: isCut),
            bytes: 1, now: .now(), judge: judge)
        func short(_ outcome: DeliveryOutcome) -> String {
            outcome.failure.map { "\($0.code) \($0.blame)" } ?? "ok"
        }
        switch outcome {
        case .all(let outcome): return (true, [short(outcome)], outcome.failure)
        case .each(let outcomes): return (false, outcomes.map(short), outcomes.lazy.compactMap(\.failure).first)
        }
    }

    private static let (a, b) = (BatchTests.ids[0], BatchTests.ids[1])

    @Test(
        "for all events together",
        arguments: [
            (#"{"success": true}"#, "ok"), (#"{"success": false}"#, "answer_refused event"),
            (#"{"success": "true"}"#, "answer_refused event"), ("{}", "answer_refused event"),
            (#"{"success": false, "code": 7}"#, "answer_retry target"),
            (#"{"success": true, "code": 7}"#, "ok"), ("[]", "answer_refused event"), ("true", "answer_refused event"),
            ("", "bad_response target"), ("<html>", "bad_response target"),
            ("{\"success\": true", "bad_response target"),
            (#"{"success": true, "success": true}"#, "bad_response target"),
            (String(repeating: "[", count: 65), "bad_response target"),
        ])
    func whole(answer: String, expected: String) throws {
        let outcome = try outcome("{ok: {/success: true}, retry: {/code: [7, 8.0]}}", answer)
        #expect(outcome.isWhole && outcome.each == [expected])
    }

    @Test("a status of its own may say that all is as it should be, whatever the answer holds")
    func taken() throws {
        func result(_ response: String, _ answer: String, status: Int) throws -> String {
            let (decoded, messages) = try decode("{type: http, url: \"https://x.example/\", response: \(response)}")
            #expect(messages == [])
            let predicate = try #require((decoded as? HTTPBlueprint)?.request.response)
            let judge = ResponseJudge(predicate: predicate, names: EventNames(count: 1, items: [:], errors: [:]))
            let outcome = FailureClassification.outcome(
                HTTPClientResponse(status: status, body: Array(answer.utf8)), bytes: 1, now: .now(), judge: judge)
            guard case .all(let outcome) = outcome else { return "each" }
            return outcome.failure.map { "\($0.code) \($0.blame)" } ?? "ok"
        }
        let response = "{taken: [404, 409], ok: {/success: true}}"
        for status in [404, 409] { #expect(try result(response, "<html>", status: status) == "ok") }
        #expect(try result(response, "", status: 400) == "http_400 event")
        #expect(try result(response, "", status: 500) == "http_500 target")
        #expect(try result(response, #"{"success": false}"#, status: 200) == "answer_refused event")
        #expect(try result("{taken: 409}", "no JSON", status: 200) == "ok", "an answer of 2xx is not read then")
    }

    @Test("no status says so of a batch")
    func takenBatch() throws {
        let (blueprint, messages) = try decode(
            "{type: http, url: \"https://x.example/\", batch: {}, response: {taken: 409}}")
        #expect(blueprint == nil && messages.count == 1, "\(messages)")
    }

    @Test("a status that speaks of the request alone cannot", arguments: [200, 302, 401, 403, 408, 429, 500])
    func neverTaken(status: Int) throws {
        let (blueprint, messages) = try decode(
            "{type: http, url: \"https://x.example/\", response: {taken: [\(status)]}}")
        #expect(blueprint == nil && messages.count == 1, "\(messages)")
    }

    @Test("null stands for what is not there as well")
    func absent() throws {
        for answer in ["{}", #"{"error": null}"#] {
            #expect(try outcome("{ok: {/error: null}}", answer).each == ["ok"])
        }
        #expect(try outcome("{ok: {/error: null}}", #"{"error": ""}"#).each == ["answer_refused event"])
        #expect(try outcome("{ok: {/error: [null, \"\"]}}", #"{"error": ""}"#).each == ["ok"])
    }

    @Test("for each event, in their order")
    func inOrder() throws {
        let response = "{items: {at: /items, ok: {/create/status: [201, 409]}, retry: {/create/status: [429, 503]}}}"
        func items(_ statuses: Int...) -> String {
            let results = statuses.map { #"{"create":{"status":\#($0)}}"# }
            return #"{"errors":true,"items":[\#(results.joined(separator: ","))]}"#
        }
        #expect(try outcome(response, items(201, 409)).each == ["ok", "ok"])
        #expect(try outcome(response, items(201, 429)).each == ["ok", "answer_retry target"])
        #expect(try outcome(response, items(400, 201)).each == ["answer_refused event", "ok"])
        #expect(try outcome(response, items(400, 429)).each == ["answer_refused event", "answer_retry target"])
        let busy = try outcome(response, items(429, 503), headers: ["Retry-After": "9"])
        #expect(busy.isWhole && busy.each == ["answer_retry target"] && busy.first?.retryAfter == .seconds(9))
        let refused = try outcome(response, items(201, 400))
        #expect(refused.first?.response == Array(#"{"create":{"status":400}}"#.utf8))
        // Results that are not as many could be anybody's.
        for answer in [items(201), items(201, 201, 201), #"{"items":{}}"#, "{}", #"{"items":null}"#, "[]"] {
            let outcome = try outcome(response, answer)
            #expect(outcome.isWhole && outcome.each == ["bad_response target"], "\(answer)")
        }
    }

    @Test("for each event, by its name, with the failed ones in a list of their own")
    func byName() throws {
        let response =
            "{items: {at: /results, id: /key}, errors: {at: /errors, id: /context/ids, ok: {/category: SAME}, retry: {/category: LATER}}}"
        func answer(_ results: [String], _ errors: [(String, [String])]? = nil) -> String {
            let results = results.map { #"{"key":"\#($0)"}"# }.joined(separator: ",")
            guard let errors else { return #"{"results":[\#(results)]}"# }
            let list = errors.map { category, ids in
                #"{"category":"\#(category)","context":{"ids":[\#(ids.map { "\"\($0)\"" }.joined(separator: ","))]}}"#
            }
            return #"{"results":[\#(results)],"errors":[\#(list.joined(separator: ","))]}"#
        }
        #expect(try outcome(response, answer([Self.b, Self.a])).each == ["ok", "ok"])
        #expect(try outcome(response, answer([Self.b])).each == ["no_result target", "ok"])
        #expect(try outcome(response, answer([Self.b, "another"], [])).each == ["no_result target", "ok"])
        #expect(
            try outcome(response, answer([Self.b], [("BAD", [Self.a, "x"])])).each == ["answer_refused event", "ok"])
        #expect(try outcome(response, answer([Self.a], [("LATER", [Self.b])])).each == ["ok", "answer_retry target"])
        #expect(try outcome(response, answer([Self.a], [("SAME", [Self.b])])).each == ["ok", "ok"])
        // What the list of failures says goes first.
        #expect(
            try outcome(response, answer([Self.a, Self.b], [("BAD", [Self.a])])).each == ["answer_refused event", "ok"])
        #expect(try outcome(response, answer([], [])).each == ["no_result target"], "they wait as one")
        #expect(try outcome(response, #"{"errors":[]}"#).each == ["bad_response target"])
    }

    @Test("by another name than the event's id")
    func otherName() throws {
        let response = #"{items: {at: "", id: /who, event: "{visitor.name}"}}"#
        // Both events are of the same visitor.
        let outcome = try outcome(response, #"[{"who":"A \"B\"],["}]"#)
        #expect(outcome.each == ["ok", "ok"])
    }

    @Test("nothing, when it is longer than what is kept")
    func tooLong() throws {
        #expect(try outcome("{ok: {/a: 1}}", #"{"a":1}"#, isCut: true).each == ["bad_response target"])
    }

    @Test(
        "is not asked of other answers",
        arguments: [(400, "http_400 event"), (500, "http_500 target"), (410, "http_410 gone")])
    func statuses(status: Int, expected: String) throws {
        #expect(try outcome("{ok: {/a: 1}}", #"{"a":1}"#, status: status).each == [expected])
    }

    @Test("room is kept for what it says of each event, and there is an end to it")
    func room() throws {
        let (decoded, _) = try decode("{type: http, url: \"https://x.example/\", response: {items: {at: \"\"}}}")
        let predicate = try #require((decoded as? HTTPBlueprint)?.request.response)
        #expect(predicate.maximumAnswer(events: 1) >= 65_536 + 4096)
        #expect(predicate.maximumAnswer(events: 20_000) == 16 << 20)
    }

    @Test(
        "is checked when it is read",
        arguments: [
            ("{}", "needs `ok:`"), ("{good: {/a: 1}}", "good"), ("{ok: {}}", "asks nothing"), ("{ok: true}", "mapping"),
            ("{ok: {a: 1}}", "begins with `/`"), ("{ok: {/a~: 1}}", "followed by `0`"), ("{ok: {/a: []}}", "no value"),
            ("{ok: {/a: {b: 1}}}", "expected a text, a number"), ("{items: {}}", "needs `at:`"),
            ("{items: {at: items}}", "begins with `/`"), ("{items: {at: /i, order: true}}", "order"),
            ("{items: {at: /i, event: \"{id}\"}}", "compared with"), ("{errors: {at: /e, id: /id}}", "needs `items:`"),
            ("{items: {at: /i}, errors: {at: /e}}", "needs `id:`"),
            ("{items: {at: /i, id: /x, event: \"{nobody}\"}}", "no field"),
            ("{items: {at: /i, id: /x, event: {a: 1}}}", "is a text"), ("3", "mapping"),
        ])
    func refused(response: String, message: String) throws {
        let (blueprint, messages) = try decode("{type: http, url: \"https://x.example/\", response: \(response)}")
        #expect(blueprint == nil)
        #expect(messages.contains { $0.contains(message) }, "\(messages)")
        #expect(messages.allSatisfy { $0.hasPrefix("1:") }, "each says where")
    }
}
