import Events
import JSON
import Testing

@testable import Rules

@Suite("Explanations")
struct ExplanationTests {
    private func explain(
        _ condition: String, _ event: EventView, seen: SeenKeys? = nil
    ) throws -> RouteExplanation {
        let plan = try plan(when: condition)
        return try #require(Explainer(seenKeys: seen).explain(plan.routes, event).routes.first)
    }

    /// The only question's words.
    private func words(_ condition: String, _ data: String) throws -> String {
        let route = try explain(condition, try event(data))
        guard case .question(let question) = route.condition.part else { return "no question" }
        let answer = route.condition.answer.map { $0 ? "yes" : "no" } ?? "?"
        return "\(answer) \(question.expected): \(question.answerInWords)"
    }

    @Test(
        "each question says what was expected, what was found, and in which state the field is",
        arguments: [
            ("{group: Contractor}", #"{"group":{"name":"Visitor"}}"#, #"no group is Contractor: found "Visitor""#),
            ("{group: Contractor}", "{}", "no group is Contractor: the field is absent"),
            ("{group: {not: Contractor}}", "{}", "yes group is not Contractor: the field is absent"),
            ("{group: a}", #"{"group":{"name":null}}"#, "no group is a: the field is null"),
            ("{group: {is: blank}}", #"{"group":{"name":"  "}}"#, #"yes group is blank: the field is blank, "  ""#),
            ("{group: {is: empty}}", #"{"group":{"name":""}}"#, #"yes group is empty: the field is empty, """#),
            (
                "{visitor: {returning: true}}", #"{"visitor":{"returning":"true"}}"#,
                #"no visitor.returning is true: found "true"; that is not true or false"#
            ),
            (
                "{visitor: {email: {domain: a.com}}}", #"{"visitor":{"email":7}}"#,
                "no visitor.email is in the domain a.com: found 7; that is not a text"
            ),
            (
                "{personal: {age: {above: 17}}}", #"{"personal":{"age":"old"}}"#,
                #"no personal "age" is above 17: found "old"; that is not a number"#
            ),
            (
                "{device: {ip: {cidr: 10.0.0.0/8}}}", #"{"device":{"ip":"lobby"}}"#,
                #"no device.ip is in the network 10.0.0.0/8: found "lobby"; that is not an IP address"#
            ),
            (
                "{personal: {\"Role \": Director}}", #"{"personal":{"Role":"Director"}}"#,
                #"no personal "Role " is Director: the field is absent; the event has `Role` in personal"#
            ),
        ])
    func questions(_ condition: String, _ data: String, _ expected: String) throws {
        #expect(try words(condition, data) == expected)
    }

    @Test("a name no event had hints at one that others had")
    func seenKeys() throws {
        var seen = SeenKeys()
        seen.note(try event(#"{"source":"london","vendor":"signinapp","additional":{"NDA signed":"yes"}}"#))
        let route = try explain("{additional: {nda signed: yes}}", try event("{}"), seen: seen)
        #expect(route.reason.hasSuffix("no event had `nda signed` in additional, but `NDA signed`"), "\(route.reason)")
    }

    @Test("what a visitor typed is shortened, and cannot do anything to a terminal")
    func hostile() throws {
        let evil = #"{"visitor":{"name":"\u001b[2J\u202E\#u{202E}\#u{85}\#(String(repeating: "x", count: 5000))"}}"#
        let text = try words("{visitor: {name: Eve}}", evil)
        #expect(text.utf8.count < 400)
        #expect(text.contains("… (50"))
        #expect(
            !text.unicodeScalars.contains {
                $0.properties.generalCategory == .control || $0.properties.generalCategory == .format
            })
    }

    @Test("a calendar says what the clocks showed, or that no zone is known")
    func calendars() throws {
        let condition = "{time: {outside: {days: mon-fri, from: \"08:00\", to: \"18:00\"}}}"
        let inside = try explain(
            condition, try event(#"{"site":{"timezone":"Europe/London"}}"#, time: "2024-07-30T07:30:00Z"))
        #expect(inside.outcome == .notTaken)
        #expect(inside.reason.hasSuffix("its clocks showed tue 2024-07-30 08:30"), "\(inside.reason)")
        let nowhere = try explain(condition, try event("{}", time: "2024-07-30T07:30:00Z"))
        #expect(nowhere.outcome == .failed)
        #expect(nowhere.reason.contains("no time zone is known"), "\(nowhere.reason)")
        #expect(nowhere.condition.answer == nil)
    }

    @Test("the tree is the rule's own: blocks, named conditions and scopes")
    func tree() throws {
        let plan = try routes(
            """
            conditions:
              outsiders: {visitor: {email: {not: {domain: acme.com}}}}
            scope: {source: london}
            routes:
              - name: r
                when: {condition: outsiders, any: [{group: a}, {not: {group: b, site: 1}}]}
                to: [siem, crm]
              - {name: off, enabled: false, to: siem}
            """)
        let files = read([
            """
            routes:
              - {name: off, enabled: false, to: siem}
            """
        ])
        let event = try event(#"{"source":"london","group":{"name":"b"},"visitor":{"email":"e@evil.com"}}"#)
        let explanation = Explainer().explain(plan.routes + files.routes, event)
        let route = try #require(explanation.routes.first)
        #expect(route.outcome == .taken && route.scope?.answer == true)
        guard case .all(let parts) = route.condition.part, parts.count == 2, case .named(let name, _) = parts[0].part,
            case .any(let alternatives) = parts[1].part, case .not = alternatives[1].part
        else {
            Issue.record("\(route.condition)")
            return
        }
        #expect(name == "outsiders" && alternatives.map(\.answer) == [false, true])
        #expect(explanation.targets.map(\.target) == ["siem", "crm"])
        #expect(explanation.routes.last?.outcome == .disabled)
    }

    @Test("events of our own are explained too")
    func system() throws {
        let route = try explain("{}", try event("{}", type: "system.target_failing"))
        #expect(route.outcome == .notTaken && route.reason.contains("Gatehouse itself"))
    }
}

@Suite("Masked explanations")
struct MaskedExplanationTests {
    private func masked(_ condition: String, _ data: String) throws -> (route: RouteExplanation, json: String) {
        let explanation = Explainer().explain(try plan(when: condition).routes, try event(data)).masked
        var writer = JSONWriter()
        writer.beginObject()
        explanation.appendMembers(to: &writer)
        writer.endObject()
        return (try #require(explanation.routes.first), String(decoding: writer.bytes, as: UTF8.self))
    }

    @Test(
        "tell neither what a person's fields hold nor what a rule says of them, however deep",
        arguments: [
            "{visitor: {email: ada@example.com}}", "{not: {visitor: {email: ada@example.com}}}",
            "{any: [{group: x}, {all: [{visitor: {name: {contains: Ada}}}, {site: 1}]}]}",
            "{personal: {Car Reg: ADA 1}}", "{json: {/name: {matches: Ada}}}",
        ])
    func hidden(condition: String) throws {
        let data =
            #"{"visitor":{"name":"Ada","email":"ada@example.com"},"personal":{"Car Reg":"ADA 1"},"original":{"name":"Ada"}}"#
        let (_, json) = try masked(condition, data)
        #expect(!json.contains("Ada") && !json.contains("ada@") && !json.contains("ADA"), "\(json)")
        #expect(json.contains("***"))
    }

    @Test("tell all else, the verdict too")
    func shown() throws {
        let data = #"{"group":{"name":"Visitor"},"visitor":{"email":"ada@example.com"}}"#
        let (route, json) = try masked("{group: Contractor}", data)
        #expect(route.outcome == .notTaken && route.reason.contains("Visitor"))
        #expect(json.contains("Contractor"))
        let (other, _) = try masked("{group: Visitor, visitor: {email: ada@example.com}}", data)
        #expect(other.outcome == .taken && other.reason == "everything it asks is so")
        // A sender put an address where none belongs.
        #expect(try !masked("{group: x}", #"{"group":{"name":"eve@example.com"}}"#).json.contains("eve"))
    }

    @Test("a route that is not told of is not named either")
    func others() throws {
        let plan = try routes(
            "routes: [{name: r, when: {group: Visitor}, to: siem}, {name: rest, unmatched: true, to: siem}]\n")
        let explanation = Explainer().explain(
            plan.routes, try event(#"{"group":{"name":"Visitor"}}"#), namesOthers: false
        ) { $0.name.hasSuffix("rest") }
        #expect(explanation.routes.count == 1)
        #expect(explanation.routes.first?.reason == "it takes what no other route takes, and another one takes this")
    }
}
