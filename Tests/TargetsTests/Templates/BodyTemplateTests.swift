import Events
import Foundation
import JSON
import Testing
import YAML

@testable import Targets

@Suite("A body template")
struct BodyTemplateTests {
    private static let policy = ContentPolicy(includesOriginal: true, includesBiometrics: false)

    private func template(
        _ yaml: String, policy: ContentPolicy = policy, environment: [String: String] = [:]
    ) throws -> (template: BodyTemplate?, messages: [String]) {
        var diagnostics = Diagnostics()
        let parsed = try #require(try parseYAML(Array(yaml.utf8), file: "g.yaml"))
        let node = resolveReferences(
            parsed, environment: { environment[$0] }, readFile: { _ in "" }, unset: .error, &diagnostics)
        let template = BodyTemplate(node, policy, &diagnostics)
        return (template, diagnostics.sorted.map(\.message))
    }

    private func render(_ yaml: String, _ event: EventView, environment: [String: String] = [:]) throws -> String {
        let (template, messages) = try template(yaml, environment: environment)
        #expect(messages == [])
        let body = try #require(template).render(event, Self.policy)
        _ = try JSONParser().parse(body)
        return text(body)
    }

    @Test("keeps the types of its own literals: quoted is text, plain JSON is JSON")
    func literals() throws {
        let yaml = """
            a: 1
            b: "1"
            c: true
            d: 'true'
            e: null
            f: [-2.50, 1e3, yes, 04567, some text, ""]
            g: {}
            h: []
            """
        #expect(
            try render(yaml, Sample.event())
                == #"{"a":1,"b":"1","c":true,"d":"true","e":null,"f":[-2.50,1e3,"yes","04567","some text",""],"g":{},"h":[]}"#
        )
    }

    @Test("puts whole values in with their own type")
    func wholeValues() throws {
        let yaml = """
            id: "{id}"
            when: "{time}"
            type: "{type}"
            source: "{source}"
            name: "{visitor.name}"
            returning: "{visitor.returning}"
            tries: "{invitation.attempts}"
            visitor: "{visitor}"
            car: "{personal.Car Reg}"
            additional: "{additional}"
            original: "{original}"
            missing: "{visitor.phone}"
            """
        let event = try Sample.event(replacing: ["invitation": #"{"attempts":3}"#])
        #expect(
            try render(yaml, event)
                == #"{"id":"\#(Sample.id)","when":"2020-01-01T12:00:01.000Z","type":"visitor.signin","source":"london","#
                + #""name":"John Smith","returning":false,"tries":3,"#
                + #""visitor":{"id":"1234","name":"John Smith","email":"john@example.com","returning":false},"#
                + #""car":"ABC 123","additional":{"Company":"Acme Ltd"},"original":\#(Sample.original),"missing":null}"#
        )
    }

    @Test("puts values inside texts as text")
    func insideTexts() throws {
        let yaml = """
            - "{visitor.name} ({visitor.id}) came: {visitor.returning}, {invitation.attempts}"
            - "phone: {visitor.phone}."
            - "{{literal}} {{{visitor.id}}}"
            - "faces {face.matches}"
            """
        let event = try Sample.event(replacing: ["invitation": #"{"attempts":3}"#, "face": #"{"matches":["7","8"]}"#])
        #expect(
            try render(yaml, event)
                == #"["John Smith (1234) came: false, 3","phone: .","{literal} {1234}","faces [\"7\",\"8\"]"]"#)
    }

    @Test("leaves out what is marked so, when it is absent or null")
    func omission() throws {
        let yaml = """
            a: "{?visitor.phone}"
            b: "{?visitor.company}"
            c: "{?visitor.name}"
            d: "call {?visitor.phone}"
            e: ["{?visitor.phone}", "{?visitor.id}"]
            f: "{?additional.Do you have keys?}"
            """
        let event = try Sample.event(
            replacing: [
                "visitor": #"{"id":"1","name":"","company":null}"#, "additional": #"{"Do you have keys?":true}"#,
            ])
        #expect(try render(yaml, event) == #"{"c":"","e":["1"],"f":true}"#)
    }

    @Test("is JSON whatever visitors typed, and gives them back unchanged", arguments: Hostile.texts)
    func hostile(name: String) throws {
        let event = try Sample.event(name: name)
        let body = try render("{whole: \"{visitor.name}\", inside: \"<{visitor.name}>\", after: 1}", event)
        let tape = try JSONParser().parse(Array(body.utf8))
        #expect(tape.count(tape.root) == 3)
        #expect(tape.member(tape.root, "whole").flatMap(tape.text)?.utf8.elementsEqual(name.utf8) == true)
        #expect(tape.member(tape.root, "inside").flatMap(tape.text)?.utf8.elementsEqual("<\(name)>".utf8) == true)
    }

    @Test("holds biometrics back inside a whole original")
    func biometrics() throws {
        let event = try Sample.event(
            "face.template", replacing: ["vendor": "\"alocity\""], original: #"{"Payload":{"Template":"QUJD","q":1}}"#)
        #expect(try render("{o: \"{original}\"}", event) == #"{"o":{"Payload":{"q":1}}}"#)
    }

    @Test("takes secrets as plain text, braces and all")
    func secrets() throws {
        let body = try render(
            "{key: \"${env:KEY}\", n: \"${env:NUMBER}\"}", Sample.event(),
            environment: ["KEY": "a{id}b}", "NUMBER": "12"])
        #expect(body == #"{"key":"a{id}b}","n":"12"}"#)
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        var text: String
        var message: String
        var testDescription: String { message }

        init(_ text: String, _ message: String) {
            self.text = text
            self.message = message
        }
    }

    @Test(
        "is wrong, and says so when it is read",
        arguments: [
            Wrong(#"{a: "{visitor.nam}"}"#, "there is no field {visitor.nam}"),
            Wrong(#"{a: "{}"}"#, "there is no field {}"),
            Wrong(#"{a: "{visitor.name"}"#, "a { has no }; write {{ for a brace"),
            Wrong(#"{a: "visitor.name}"}"#, "a } has no {; write }} for a brace"),
            Wrong(#"{a: {visitor.name}}"#, #"write it in quotes: "{visitor.name}""#),
            Wrong(#"{a: "all of {visitor}"}"#, "this text holds a whole object"),
            Wrong(#"{a: "all of {personal}"}"#, "this text holds a whole object"),
            Wrong(#"{a: "all of {original}"}"#, "this text holds a whole object"),
            Wrong(#"{"{visitor.name}": 1}"#, "the names of a body are fixed"),
            Wrong(#"{a: ~}"#, "there is nothing here; write null"), Wrong("a:", "there is nothing here; write null"),
            Wrong(#"{a: "{personal.}"}"#, "there is no field {personal.}"),
            Wrong(#"{a: "${env:KEY} {visitor.name}"}"#, "one value cannot hold both a ${…} and a {field}"),
        ])
    func mistakes(wrong: Wrong) throws {
        let (template, messages) = try template(wrong.text, environment: ["KEY": "k"])
        #expect(template == nil)
        #expect(messages.contains { $0.contains(wrong.message) }, "\(messages)")
    }

    @Test("cannot name the original where it is not sent")
    func withoutOriginal() throws {
        let policy = ContentPolicy(includesOriginal: false, includesBiometrics: false)
        let (template, messages) = try template(#"{a: "{original}"}"#, policy: policy)
        #expect(template == nil && messages.first?.contains("`original: false`") == true)
    }

    @Test("knows every field of the table and every attribute of the envelope", arguments: FieldReference.names)
    func references(name: String) throws {
        let reference = try #require(FieldReference(name))
        let event = try Sample.event()
        if ["id", "time", "visitor.name", "source", "visitor", "original"].contains(name) {
            #expect(reference.value(in: event) != nil)
        }
    }
}
