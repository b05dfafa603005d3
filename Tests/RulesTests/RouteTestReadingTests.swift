import Events
import JSON
import Testing
import YAML

@testable import Rules

@Suite("Tests in files of routes")
struct RouteTestReadingTests {
    private func tests(_ text: String) throws -> [RouteTest] {
        let files = read(["routes: [{name: r, to: siem}]\ntests:\n" + text])
        #expect(files.diagnostics.isEmpty, "\(files.diagnostics)")
        return files.tests
    }

    private func changes(_ set: String) throws -> [String: String] {
        let test = try #require(
            try tests("  - {name: t, given: {sample: signinapp/visitor.signin, set: \(set)}, to: []}\n").first)
        guard case .sample("signinapp", "visitor.signin", let changes) = test.given else { return [:] }
        return Dictionary(
            uniqueKeysWithValues: changes.map { ("\($0.field)", String(decoding: $0.json ?? [], as: UTF8.self)) })
    }

    @Test("what is given, and what must come of it")
    func whole() throws {
        let tests = try tests(
            """
              - name: sample
                given: {sample: signinapp/visitor.signin}
                to: [siem, crm]
              - name: payload
                given: {payload: {visitor: {name: No}}, source: london}
                routes: r
              - name: event
                given: {event: {type: visitor.signin}}
                to: []
                routes: []
            """)
        #expect(tests.map(\.name) == ["sample", "payload", "event"])
        #expect(tests.map(\.targets) == [["siem", "crm"], nil, []])
        #expect(tests.map(\.routes) == [nil, ["r"], []])
        #expect(tests.map(\.location.line) == [3, 6, 9])
        guard case .payload(let payload, source: "london") = tests[1].given, case .event(let event) = tests[2].given
        else { return #expect(Bool(false)) }
        #expect(String(decoding: payload, as: UTF8.self) == #"{"visitor":{"name":"No"}}"#)
        #expect(String(decoding: event, as: UTF8.self) == #"{"type":"visitor.signin"}"#)
    }

    @Test("a plain scalar that is a JSON literal has that JSON type, everything else is text")
    func literals() throws {
        let payload = """
              - name: t
                given:
                  payload:
                    a: [true, false, null, 7, -7.5e3, "7", "true", "null"]
                    b: [True, Null, 07, +7, .5, 7., 0x10, No, 22:00, text, "", 2024-07-30]
                    "c.d e": {}
                  source: london
                to: []

            """
        guard case .payload(let bytes, _) = try #require(try tests(payload).first).given else {
            return #expect(Bool(false))
        }
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == #"{"a":[true,false,null,7,-7.5e3,"7","true","null"],"#
                + #""b":["True","Null","07","+7",".5","7.","0x10","No","22:00","text","","2024-07-30"],"c.d e":{}}"#)
    }

    @Test("set names fields as conditions do; site and group are their id and name")
    func set() throws {
        let changes = try changes(
            """
            {event: visitor.signout, time: 2024-07-30T09:00:00Z, site: 4567, group: {id: 7, name: Contractor},
             visitor: {email: a@b.c, returning: true}, host: {group: Staff}, personal: {a.b: 1, role: null},
             additional: {NDA signed: ""}, json: {/visitor/extra/a.b: [X, 1]}, visit: {reasons: [{name: a}]}}
            """)
        #expect(
            changes == [
                "event": "\"visitor.signout\"", "time": "\"2024-07-30T09:00:00Z\"",
                "field(\(EventField.siteID))".qualified: "4567", "field(\(EventField.groupID))".qualified: "7",
                "field(\(EventField.groupName))".qualified: "\"Contractor\"",
                "field(\(EventField.visitorEmail))".qualified: "\"a@b.c\"",
                "field(\(EventField.visitorReturning))".qualified: "true",
                "field(\(EventField.hostGroupName))".qualified: "\"Staff\"",
                "entry(\(EventField.personal), \"a.b\")".qualified: "1",
                "entry(\(EventField.personal), \"role\")".qualified: "null",
                "entry(\(EventField.additional), \"NDA signed\")".qualified: "\"\"",
                "pointer(/visitor/extra/a.b)": "[\"X\",1]",
                "field(\(EventField.visitReasons))".qualified: "[{\"name\":\"a\"}]",
            ])
    }

    @Test("the argument of --set is read the same way")
    func argument() throws {
        let changes = try FieldChange.read("group: Contractor")
        #expect(changes.map(\.field) == [.field(.groupName)])
        #expect(changes.map { String(decoding: $0.json ?? [], as: UTF8.self) } == ["\"Contractor\""])
        #expect(changes.first?.location.file == "--set")
        for (text, message) in [
            ("", "--set:1:1: a field is missing, such as 'group: Contractor'"),
            ("grup: a", "--set:1:1: unknown field `grup` (did you mean group?)"),
            ("a", "--set:1:1: `set:` must be a mapping (`field: value`), found `a`"),
        ] {
            #expect {
                try FieldChange.read(text)
            } throws: { error in
                (error as? Diagnostics)?.description == message
            }
        }
    }
}

extension String {
    /// As Swift prints the case of another module inside an enumeration.
    fileprivate var qualified: String {
        replacingOccurrences("field(", "field(Events.EventField.").replacingOccurrences(
            "entry(", "entry(Events.EventField.")
    }
}
