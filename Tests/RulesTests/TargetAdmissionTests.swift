import Events
import Testing
import YAML

@testable import Rules

@Suite("A target's own conditions")
struct TargetAdmissionTests {
    private func load(
        _ keys: String, files text: String = "lists: {gone: gone.txt}\nroutes: [{name: r, to: crm}]\n",
        list: String = "ann@acme.com\n"
    ) throws -> RuleFiles {
        var environment = ruleEnvironment(files: ["gone.txt": list])
        let node = try #require(try parseYAML(Array("{\(keys)}".utf8), file: "gatehouse.yaml"))
        let entries = Dictionary(uniqueKeysWithValues: (node.entries ?? []).map { ($0.name, $0.value) })
        environment.targetConditions = [
            TargetConditions(target: "crm", onlyIf: entries["only_if"], optOut: entries["opt_out"])
        ]
        var diagnostics = Diagnostics()
        return RuleLoader.load(
            texts: [("r.yaml", Array(text.utf8))], environment: environment, diagnostics: &diagnostics)
    }

    private func refusal(
        _ keys: String, _ data: String, type: String = "visitor.signin"
    ) throws -> TargetAdmission.Refusal? {
        let files = try load(keys)
        try #require(!files.diagnostics.hasErrors, "\(files.diagnostics)")
        let admission = try #require(files.plan.admissions["crm"])
        var scratch = MatchScratch()
        return admission.refusal(of: try event(data, type: type, time: "2026-01-31T08:00:00Z"), scratch: &scratch)
    }

    @Test("say whom it takes and whom not, in the language of routes")
    func conditions() throws {
        let keys = "only_if: {additional: {Consent: yes}}, opt_out: {visitor: {email: {in_list: gone}}}"
        #expect(try refusal(keys, #"{"additional":{"Consent":"Yes"},"visitor":{"email":"bob@acme.com"}}"#) == nil)
        #expect(try refusal(keys, #"{"additional":{"Consent":"no"}}"#) == .notMet)
        #expect(try refusal(keys, "{}") == .notMet)
        #expect(
            try refusal(keys, #"{"additional":{"Consent":"yes"},"visitor":{"email":" ANN@acme.com"}}"#) == .optedOut)
        #expect(try refusal(keys, #"{"visitor":{"email":"ann@acme.com"}}"#) == .notMet)
        #expect(try refusal("opt_out: {visitor: {id: 7}}", #"{"visitor":{"id":"7"}}"#) == .optedOut)
        #expect(try refusal("opt_out: {visitor: {id: 7}}", "{}") == nil)
    }

    @Test("that cannot be decided are no consent, and opted out")
    func undecided() throws {
        let outside = "{time: {outside: {days: mon-fri, from: \"08:00\", to: \"18:00\"}}}"
        #expect(try refusal("only_if: \(outside)", #"{"visitor":{"id":"7"}}"#) == .notMet)
        #expect(try refusal("opt_out: \(outside)", #"{"visitor":{"id":"7"}}"#) == .optedOut)
    }

    @Test("keep out events of Gatehouse's own that they do not name")
    func system() throws {
        #expect(try refusal("only_if: {visitor: {id: {is: absent}}}", "{}", type: "system.dead_letter") == .notMet)
        #expect(try refusal("only_if: {event: system.dead_letter}", "{}", type: "system.dead_letter") == nil)
        #expect(try refusal("opt_out: {visitor: {id: 7}}", "{}", type: "system.dead_letter") == nil)
    }

    @Test(
        "that are wrong are errors where they stand",
        arguments: [
            ("only_if: {additonal: {a: b}}", "gatehouse.yaml:1:12", "additional"),
            ("only_if: {}", "gatehouse.yaml:1:11", "is empty"),
            ("only_if: yes", "gatehouse.yaml:1:11", "must be a mapping"),
            ("opt_out: {visitor: {email: {in_list: gne}}}", "gatehouse.yaml:1:39", "gone"),
            ("opt_out: {condition: nobody}", "gatehouse.yaml:1:23", "nobody"),
        ])
    func mistakes(keys: String, place: String, message: String) throws {
        let files = try load(keys)
        #expect(files.diagnostics.hasErrors && files.plan.admissions.isEmpty && files.plan.routes.isEmpty)
        let text = files.diagnostics.description
        #expect(text.contains(place) && text.contains(message), "\(text)")
    }

    @Test("belong to the plan: another condition or another list is another plan, without any it is the same as before")
    func hash() throws {
        let plain = try load("").plan.hash
        let one = try load("opt_out: {visitor: {email: {in_list: gone}}}").plan.hash
        let other = try load("opt_out: {visitor: {email: {in_list: gone}}}", list: "bob@acme.com\n").plan.hash
        #expect(Set([plain, one, other, try load("only_if: {site: 1}").plan.hash]).count == 4)
        #expect(plain == RulePlan(try load("").routes).hash)
    }
}
