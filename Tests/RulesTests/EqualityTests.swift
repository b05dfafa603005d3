import Events
import Testing

@testable import Rules

@Suite("Fields and values")
struct EqualityTests {
    @Test(
        "texts compare without regard to case and outer spaces",
        arguments: [
            ("Contractor", "CONTRACTOR", true), ("Contractor", " \\tcontractor\\u00a0\\n", true),
            ("\" Contractor \"", "contractor", true),
            ("Contractor", "Contractors", false), ("Con tractor", "Contractor", false), ("ÉCOLE", "école", true),
            ("σας", "ΣΑΣ", true),
            ("straße", "STRASSE", false), ("ẞ", "ß", true), ("İ", "i", false), ("ı", "I", false),
            ("K", "\\u212a", true), ("дом", "ДОМ", true),
            ("é", "e\\u0301", false), ("😀", "\\ud83d\\ude00", true), ("\"\"", "  ", true),
        ])
    func texts(_ rule: String, _ value: String, _ expected: Bool) throws {
        #expect(try takes("{group: \(rule)}", #"{"group":{"name":"\#(value)"}}"#) == expected)
        #expect(try takes("{additional: {k: \(rule)}}", #"{"additional":{"k":"\#(value)"}}"#) == expected)
    }

    @Test("exactly compares as it stands")
    func exactly() throws {
        for (value, expected) in [("Contractor", true), ("contractor", false), (" Contractor", false)] {
            #expect(try takes("{group: {exactly: [X, Contractor]}}", #"{"group":{"name":"\#(value)"}}"#) == expected)
        }
        #expect(try takes("{additional: {k: {exactly: 7}}}", #"{"additional":{"k":7}}"#))
        #expect(try !takes("{additional: {k: {exactly: 7}}}", #"{"additional":{"k":7.0}}"#))
        #expect(try takes("{event: {exactly: visitor.signin}}", "{}"))
    }

    @Test("equals and any_of are what a scalar and a list are")
    func named() throws {
        for condition in [
            "{group: {equals: a}}", "{group: {any_of: [b, A]}}", "{group: {equals: [a]}}",
            "{group: {any_of: a, not: c}}",
        ] {
            #expect(try takes(condition, #"{"group":{"name":"a"}}"#))
            #expect(try !takes(condition, #"{"group":{"name":"c"}}"#))
        }
    }

    @Test("an event's type is named whole, or all of a kind by a star")
    func types() throws {
        #expect(try takes("{event: visitor.*}", "{}", type: "visitor.signin.requested"))
        #expect(try takes("{event: [pin.*, visitor.signin]}", "{}", type: "visitor.signin"))
        #expect(try !takes("{event: visitor.signin}", "{}", type: "visitor.signin.requested"))
        #expect(try !takes("{event: visitor.*}", "{}", type: "invitation.created"))
        #expect(try takes("{event: {not: visitor.*}}", "{}", type: "invitation.created"))
    }

    @Test(
        "an event of our own is taken by no route that does not name its type",
        arguments: ["{}", "{event: {not: visitor.*}}", "{vendor: {not: sine}}"])
    func system(_ condition: String) throws {
        #expect(try !takes(condition, "{}", type: "system.target_disabled"))
        #expect(try takes(condition, "{}", type: "other"))
    }

    @Test("and by those that do", arguments: ["system.*", "system.target_disabled", "[system.dead_letter, system.*]"])
    func ownByName(_ types: String) throws {
        let type = "system.target_disabled"
        #expect(try takes("{event: \(types)}", "{}", type: type))
        #expect(try !takes("{event: \(types)}", "{}", type: "visitor.signin"))
        let data = #"{"system":{"target":"crm","count":3}}"#
        #expect(try takes("{event: \(types), system: {target: crm, count: {at_least: 3}}}", data, type: type))
        #expect(try !takes("{event: \(types), system: {target: siem}}", data, type: type))
        #expect(try !takes("{system: {target: crm}}", data, type: type))
    }

    @Test("site and group are their id and name, also beside sub-fields and under operators")
    func meanings() throws {
        let data =
            #"{"site":{"key":"london","id":"4567","name":"HQ"},"group":{"id":"9","name":"Staff"},"host":{"group":{"name":"IT"}}}"#
        for condition in [
            "{site: 4567}", "{site: {key: london}}", "{site: {id: 4567, name: hq}}", "{site: {not: 1, name: HQ}}",
            "{site: {is: present, type: {is: absent}}}", "{group: staff}", "{group: {id: 9, equals: Staff}}",
            "{host: {group: it}}",
            "{host: {group: {name: IT, id: {is: blank}}}}",
        ] {
            #expect(try takes(condition, data), "\(condition)")
        }
        for condition in [
            "{site: HQ}", "{group: 9}", "{site: {not: 4567, name: HQ}}", "{site: {equals: 4567, key: hq}}",
        ] {
            #expect(try !takes(condition, data), "\(condition)")
        }
    }

    @Test("booleans, numbers and times compare by value")
    func typed() throws {
        let data =
            #"{"visitor":{"returning":false},"face":{"attempts":3},"visit":{"started_at":"2024-07-30T01:49:27.000Z","ended_at":"soon"}}"#
        for condition in [
            "{visitor: {returning: false}}", "{visitor: {returning: [true, false]}}",
            "{visitor: {remote: {not: true}}}",
            "{face: {attempts: 3.0}}", "{face: {attempts: [1, 3]}}", "{visit: {started_at: 2024-07-30T11:49:27+10:00}}",
            "{visit: {ended_at: {not: 2024-07-30T11:49:27+10:00}}}",
        ] {
            #expect(try takes(condition, data), "\(condition)")
        }
        #expect(try !takes("{face: {attempts: 4}}", data))
        #expect(try !takes("{visit: {ended_at: 2024-07-30T11:49:27+10:00}}", data))
    }

    @Test("the reasons of a rejection are found by name and by text")
    func reasons() throws {
        let data =
            #"{"visit":{"reasons":[{"name":"Watchlist","reason":"On the list"},{"name":"Other","reason":null}]}}"#
        #expect(try takes("{visit: {reasons: watchlist}}", data))
        #expect(try takes("{visit: {reasons: on the list}}", data))
        #expect(try !takes("{visit: {reasons: {not: Other}}}", data))
        #expect(try !takes("{visit: {reasons: name}}", data))
    }

    @Test(
        "the states of a field are told apart",
        arguments: [
            ("{}", "absent blank"), (#"{"k":null}"#, "blank null"), (#"{"k":""}"#, "blank empty present"),
            (#"{"k":" \t\u2003"}"#, "blank present"), (#"{"k":[]}"#, "blank empty present"),
            (#"{"k":{}}"#, "blank empty present"),
            (#"{"k":"x"}"#, "present"), (#"{"k":0}"#, "present"), (#"{"k":false}"#, "present"),
            (#"{"k":[null]}"#, "present"),
        ])
    func states(_ map: String, _ expected: String) throws {
        let data = "{\"additional\":\(map)}"
        let held = try FieldState.allCases.map(\.rawValue).filter {
            try takes("{additional: {k: {is: \"\($0)\"}}}", data)
        }
        #expect(held.sorted().joined(separator: " ") == expected)
        for state in FieldState.allCases.map(\.rawValue) {
            #expect(try takes("{additional: {k: {not: {is: \"\(state)\"}}}}", data) == !held.contains(state))
        }
    }

    @Test("a field below a missing or null part is absent")
    func missingParts() throws {
        for data in ["{}", #"{"visitor":null}"#, #"{"visitor":{}}"#, #"{"visitor":[1]}"#, #"{"visitor":"x"}"#] {
            #expect(try takes("{visitor: {email: {is: absent}}}", data), "\(data)")
        }
        #expect(try takes("{visitor: {email: {is: [\"null\", empty]}}}", #"{"visitor":{"email":null}}"#))
    }

    @Test("every field of the table can be asked for, and is read where the table says", arguments: EventField.allCases)
    func everyField(_ field: EventField) throws {
        let (rule, value): (String, String) =
            switch field.kind {
            case .boolean: ("true", "true")
            case .number: ("3", "3")
            case .timestamp: ("2024-01-01T00:00:00Z", #""2024-01-01T00:00:00.000Z""#)
            case .identifiers: ("x", #"["x"]"#)
            case .reasons: ("x", #"[{"name":"x"}]"#)
            case .map: ("{k: x}", #"{"k":"x"}"#)
            case .identifier, .text, .any:
                switch field {
                case .vendor: ("sine", #""sine""#)
                case .source, .siteKey: ("london", #""london""#)
                default: ("x", #""x""#)
                }
            }
        let parts = field.path.split(separator: ".")
        let condition = parts.reversed().reduce(rule) { "{\($1): \($0)}" }
        let data = parts.reversed().reduce(value) { "{\"\($1)\":\($0)}" }
        #expect(try takes(condition, data))
        #expect(try !takes(condition, "{}"))
    }

    @Test("blocks nest, and what stands side by side must all hold")
    func blocks() throws {
        let condition =
            "{event: visitor.*, any: [{group: a}, {all: [{group: b}, {not: {site: 1}}]}], not: {source: lobby, group: a}}"
        for (data, expected) in [
            (#"{"group":{"name":"a"}}"#, true), (#"{"group":{"name":"a"},"source":"lobby"}"#, false),
            (#"{"group":{"name":"b"},"site":{"id":"1"}}"#, false),
            (#"{"group":{"name":"b"},"site":{"id":"2"},"source":"lobby"}"#, true),
            (#"{"group":{"name":"c"}}"#, false),
        ] {
            #expect(try takes(condition, data) == expected, "\(data)")
        }
        #expect(try takes("{}", "{}"))
    }

    @Test("folding groups characters as Unicode's simple case folding does")
    func folding() {
        let groups = [
            "kK\u{212A}", "sSſ", "åÅ\u{212B}", "µμΜ", "σςΣ", "θϑϴΘ", "ßẞ", "ǆǅǄ", "ιΙ\u{345}\u{1FBE}", "ꭰᎠ", "აᲐ", "ᾳᾼ",
            "ωΩ\u{2126}", "𐐀𐐨",
        ]
        for group in groups {
            #expect(Set(group.unicodeScalars.map(TextFolding.folded)).count == 1, "\(group)")
        }
        for (one, other) in [("ı", "i"), ("İ", "i"), ("ß", "s"), ("é", "e")] as [(Unicode.Scalar, Unicode.Scalar)] {
            #expect(TextFolding.folded(one) != TextFolding.folded(other))
        }
        let unstable = (0...0x10FFFF).compactMap(Unicode.Scalar.init).filter {
            TextFolding.folded(TextFolding.folded($0)) != TextFolding.folded($0)
        }
        #expect(unstable.isEmpty)
    }
}
