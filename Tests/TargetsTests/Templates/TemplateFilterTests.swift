import Events
import JSON
import Testing
import YAML

@testable import Targets

@Suite("What a template makes of a value")
struct TemplateFilterTests {
    private static let policy = ContentPolicy(includesOriginal: true, includesBiometrics: false)

    private func read(_ yaml: String) throws -> (template: BodyTemplate?, messages: [String]) {
        var diagnostics = Diagnostics()
        let node = try #require(try parseYAML(Array(yaml.utf8), file: "g.yaml"))
        let template = BodyTemplate(node, Self.policy, &diagnostics)
        return (template, diagnostics.sorted.map { String($0.description.dropFirst("g.yaml:".count)) })
    }

    /// What a value of a template is, as JSON.
    private func render(_ value: String, _ event: EventView) throws -> String {
        let (template, messages) = try read("[\"\(value)\"]")
        #expect(messages == [])
        let body = try #require(template).render(event, Self.policy)
        _ = try JSONParser().parse(body)
        return String(text(body).dropFirst().dropLast())
    }

    private func event(_ additional: String = "{}", time: String = "2026-07-01T22:30:05.120Z") throws -> EventView {
        try Sample.event(time: time, replacing: ["additional": additional])
    }

    @Test(
        "a date in every form, in UTC, in the site's zone and in one that is named",
        arguments: [
            ("{time}", #""2026-07-01T22:30:05.120Z""#), ("{time|rfc3339}", #""2026-07-01T22:30:05.120Z""#),
            ("{time|rfc3339|in:site}", #""2026-07-01T23:30:05.120+01:00""#),
            ("{time|rfc3339|in:America/New_York}", #""2026-07-01T18:30:05.120-04:00""#),
            ("{time|rfc3339|in:UTC}", #""2026-07-01T22:30:05.120+00:00""#),
            ("{time|rfc3339|in:Asia/Kolkata}", #""2026-07-02T04:00:05.120+05:30""#), ("{time|epoch_s}", "1782945005"),
            ("{time|epoch_ms}", "1782945005120"), ("{time|epoch}", "1782945005.120"), ("{time|date}", #""2026-07-01""#),
            ("{time|date|in:Asia/Tokyo}", #""2026-07-02""#), ("{time|date:%d.%m.%Y %H:%M}", #""01.07.2026 22:30""#),
            ("{time|date:%y%m%d %I:%M:%S.%L %p %z %j %%|in:site}", #""260701 11:30:05.120 PM +0100 182 %""#),
            ("at {time|epoch_s}, {time|date}", #""at 1782945005, 2026-07-01""#),
        ])
    func dates(value: String, expected: String) throws {
        #expect(try render(value, event()) == expected)
    }

    @Test("midnight and noon are twelve, and the days of a leap year are counted")
    func clock() throws {
        for (time, expected) in [
            ("2024-12-31T00:00:00Z", "12 AM 366"), ("2024-02-29T12:00:00Z", "12 PM 060"),
            ("2023-03-01T13:00:00Z", "01 PM 060"),
        ] {
            #expect(try render("{time|date:%I %p %j}", event(time: time)) == "\"\(expected)\"")
        }
    }

    @Test("a time before 1970 counts down")
    func before1970() throws {
        let early = try event(time: "1969-12-31T23:59:59.500Z")
        #expect(try render("{time|epoch_s}", early) == "-1")
        #expect(try render("{time|epoch_ms}", early) == "-500")
        #expect(try render("{time|epoch}", early) == "-0.500")
    }

    @Test("a site without a known zone is written in UTC")
    func unknownZone() throws {
        let event = try Sample.event(replacing: ["site": #"{"id":"1","timezone":"Europe/Lond\non"}"#])
        #expect(try render("{time|rfc3339|in:site}", event) == #""2020-01-01T12:00:01.000+00:00""#)
    }

    @Test("what is no time counts as absent, a number is seconds or milliseconds")
    func notATime() throws {
        let event = try event(#"{"when":"tomorrow","seconds":1782945005,"ms":1782945005120,"list":[1]}"#)
        #expect(try render("{additional.when|rfc3339}", event) == "null")
        #expect(try render("{?additional.when|rfc3339}", event) == "")
        #expect(try render("{additional.when|date|default:never}", event) == #""never""#)
        #expect(try render("{additional.list|date}", event) == "null")
        #expect(try render("{additional.seconds|date}", event) == #""2026-07-01""#)
        #expect(try render("{additional.ms|rfc3339}", event) == #""2026-07-01T22:30:05.120Z""#)
    }

    @Test(
        "a default stands for what is absent, null or blank, with its own type",
        arguments: [
            ("{visitor.phone|default:none}", #""none""#), ("{additional.null|default:none}", #""none""#),
            ("{additional.empty|default:none}", #""none""#), ("{additional.spaces|default:none}", #""none""#),
            ("{additional.list|default:none}", #""none""#), ("{additional.object|default:none}", #""none""#),
            ("{additional.zero|default:7}", "0"), ("{additional.no|default:true}", "false"),
            ("{visitor.phone|default:7}", "7"), ("{visitor.phone|default:-1.50}", "-1.50"),
            ("{visitor.phone|default:true}", "true"), ("{visitor.phone|default:null}", "null"),
            (#"{visitor.phone|default:\"7\"}"#, #""7""#), ("{visitor.phone|default:07}", #""07""#),
            ("{visitor.phone|default:}", #""""#), ("{visitor.phone|default:a: b}", #""a: b""#),
            ("{visitor.phone|default:[1]}", #""[1]""#), ("tel {visitor.phone|default:7}.", #""tel 7.""#),
            ("tel {visitor.phone|default:null}.", #""tel .""#), ("{visitor.name|default:none}", #""John Smith""#),
        ])
    func defaults(value: String, expected: String) throws {
        let event = try event(
            #"{"null":null,"empty":"","spaces":" \t\u00a0","list":[],"object":{},"zero":0,"no":false}"#)
        #expect(try render(value, event) == expected)
    }

    @Test(
        "texts are edited, and types changed where that can be",
        arguments: [
            ("{additional.mail|trim|lower}", #""ann.o'hara@acme.com""#),
            ("{additional.mail|odata|trim}", #""Ann.O''Hara@ACME.com""#),
            ("{additional.seven|number}", "7"), ("{additional.text|number}", "null"),
            ("{additional.seven|boolean}", "null"),
            ("{additional.n|text}", #""7""#), ("{additional.n|number}", "7"), ("{additional.n|lower}", "7"),
            ("{additional.yes|boolean}", "true"), ("{additional.no|boolean}", "false"),
            ("{additional.no|text}", #""false""#),
            ("{additional.list|text}", #""[1,\"a\"]""#), ("{additional.blank|filled}", "null"),
            ("{?additional.blank|filled}", ""),
            ("{?additional.blank|trim}", #""""#), ("{additional.markup|slack}", #""&lt;!channel&gt; &amp;amp;""#),
            ("{additional.a||b|text}", #""pipe""#),
        ])
    func edits(value: String, expected: String) throws {
        let event = try event(
            #"""
            {"mail":" Ann.O'Hara@ACME.com ","seven":" 7 ","text":"7 of 9","n":7,"yes":"Yes","no":false,"list":[1,"a"],
            "blank":"  ","markup":"<!channel> &amp;","a|b":"pipe"}
            """#)
        #expect(try render(value, event) == expected)
    }

    @Test(
        "another field stands for what is absent, null or blank, and what follows is done to whichever it is",
        arguments: [
            ("{visitor.last_name|or:visitor.name}", #""John Smith""#),
            ("{additional.null|or:visitor.name}", #""John Smith""#),
            ("{additional.blank|or:visitor.phone|or:visitor.name|lower}", #""john smith""#),
            ("{visitor.name|or:visitor.email}", #""John Smith""#), ("{additional.zero|or:visitor.name}", "0"),
            ("{visitor.phone|or:visitor.company}", "null"), ("{additional.blank|or:visitor.phone}", #""  ""#),
            ("{visitor.phone|or:visitor.company|default:none}", #""none""#),
            ("{?visitor.phone|or:visitor.company}", ""),
            ("{?visitor.phone|or:visitor.name}", #""John Smith""#), ("{visitor.phone|or:additional.a||b}", #""pipe""#),
            ("{visit.started_at|or:time|date}", #""2026-07-01""#),
            ("I am {visitor.phone|or:visitor.id}", #""I am 1234""#),
            ("{visitor.phone|or:additional.zero}", "0"),
        ])
    func alternatives(value: String, expected: String) throws {
        let event = try event(#"{"null":null,"blank":"  ","zero":0,"a|b":"pipe"}"#)
        #expect(try render(value, event) == expected)
    }

    @Test(
        "of a name of which only the whole is known its parts are taken, and what is known apart stays whole",
        arguments: [
            ("{?visitor.last_name|or_last_word:visitor.name}", "Ann Lee", #""Lee""#),
            ("{?visitor.first_name|or_first_words:visitor.name}", "Ann Lee", #""Ann""#),
            ("{?visitor.last_name|or_last_word:visitor.name}", " Mary  Ann\u{a0}Lee ", #""Lee""#),
            ("{?visitor.first_name|or_first_words:visitor.name}", " Mary  Ann\u{a0}Lee ", #""Mary  Ann""#),
            ("{?visitor.last_name|or_last_word:visitor.name}", "Cher", #""Cher""#),
            ("{?visitor.first_name|or_first_words:visitor.name}", "Cher", ""),
            ("{?visitor.last_name|or_last_word:visitor.name}", " ", ""),
            ("{?additional.last|or_last_word:visitor.name}", "Ann Lee", #""van der Berg""#),
            ("{?additional.last|last_word}", "Ann Lee", #""Berg""#),
            ("{?additional.last|first_words}", "Ann Lee", #""van der""#),
            ("{?additional.n|last_word}", "Ann Lee", "7"),
        ])
    func words(value: String, name: String, expected: String) throws {
        let event = try Sample.event(name: name, replacing: ["additional": #"{"last":"van der Berg","n":7}"#])
        #expect(try render(value, event) == expected)
    }

    @Test(
        "what is escaped is so byte by byte: an accent behind it hides nothing",
        arguments: ["\u{301}", "\u{338}", "\u{200d}", "\u{fe0f}", "\u{1f3fb}"])
    func combining(mark: String) throws {
        func with(_ text: String) throws -> EventView { try Sample.event(name: text) }
        let quote = "'\(mark)"
        #expect(try render("{visitor.name|odata}", with("a\(quote)b\(quote)")) == quoted("a'\(quote)b'\(quote)"))
        #expect(
            try render("{visitor.name|slack}", with("<\(mark)!channel>\(mark)&\(mark)"))
                == quoted("&lt;\(mark)!channel&gt;\(mark)&amp;\(mark)"))
        #expect(try render("{visitor.name|without:/?#}", with("a/\(mark)b")) == "null")
        #expect(try render("{visitor.name|without:/?#}", with("a\(mark)b")) == quoted("a\(mark)b"))
    }

    @Test("is JSON whatever visitors typed, through every filter", arguments: Hostile.texts)
    func hostile(name: String) throws {
        let event = try Sample.event(name: name, replacing: ["additional": "{\"a\":\(quoted(name))}"])
        let (template, messages) = try read(
            """
            {trim: "{visitor.name|trim}", lower: "x{visitor.name|lower}", text: "{visitor.name|text}",
             number: "{visitor.name|number}", boolean: "{visitor.name|boolean}", odata: "{visitor.name|odata}",
             slack: "{visitor.name|slack}", default: "{visitor.name|default:none}", date: "{additional.a|date}",
             filled: "{visitor.name|filled}", end: 1}
            """)
        #expect(messages == [])
        let tape = try JSONParser().parse(try #require(template).render(event, Self.policy))
        #expect(tape.count(tape.root) == 11)
        #expect(tape.member(tape.root, "end").flatMap(tape.integer) == 1)
        #expect(tape.member(tape.root, "text").flatMap(tape.text)?.utf8.elementsEqual(name.utf8) == true)
        #expect(
            tape.member(tape.root, "odata").flatMap(tape.text)?.utf8.elementsEqual(
                name.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''").utf8) == true)
        let slack = tape.member(tape.root, "slack").flatMap(tape.text) ?? ""
        #expect(!slack.contains("<") && !slack.contains(">"))
    }

    @Test(
        "is wrong, and says where and what is nearest",
        arguments: [
            ("{time|rfc339}", "there is no filter `|rfc339`"),
            ("{visitor.emal|lower}", "there is no field {visitor.emal}"),
            ("{visitor.name|date}", "{visitor.name} is no time"),
            ("{visitor|epoch_s}", "is no time"), ("{time|date:%Q}", "`%Q` is no pattern of a date"),
            ("{time|date:100%}", "is no pattern of a date"), ("{time|in:site}", "stands behind the form of a date"),
            ("{time|epoch_s|in:site}", "are the same in every zone"),
            ("{time|date|in:Europe/Lodnon}", "`|in:` takes `site` or a time zone"),
            ("{time|date|rfc3339}", "a date is written in one form only"), ("{visitor.phone|default}", "needs a value"),
            ("{?visitor.phone|default:x}", "its `default:` is never written"),
            ("{visitor.phone|default:x|trim}", "`default:` comes last"),
            ("{visitor.phone|trim:x}", "takes nothing behind a colon"),
            ("{visitor.phone|or}", "needs the field"), ("{visitor.phone|or:}", "needs the field"),
            ("{visitor.phone|or:visitor.nam}", "there is no field {visitor.nam}"),
            ("{visitor.phone|or:visitor}", "single values"), ("{visitor|or:host}", "single values"),
            ("{visitor.phone|or:original}", "single values"),
            ("{time|date|or:visit.started_at}", "comes before the form"),
            ("{time|or:visitor.name|date}", "{visitor.name} is no time"),
            ("{visitor.phone|default:x|or:visitor.name}", "`default:` comes last"),
            ("{personal.Car Reg |trim}", "a space stands before the `|`"), ("{visitor.name|}", "there is no filter"),
        ])
    func mistakes(value: String, message: String) throws {
        let (template, messages) = try read("[\"\(value)\"]")
        #expect(template == nil)
        #expect(messages.contains { $0.contains(message) }, "\(messages)")
    }
}
