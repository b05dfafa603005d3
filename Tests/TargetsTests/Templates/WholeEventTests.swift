import Events
import HTTPClient
import JSON
import Testing

@testable import Targets

@Suite("The whole event in a template") struct WholeEventTests {
    private static let objects = ["json", "ocsf", "ecs", "cloudevents"]
    private static let texts = ["cef", "leef"]

    private func body(_ template: String, _ more: String = "") throws -> String {
        let yaml = "{type: http, url: \"https://x.example/\", body: \(template)\(more)}"
        let (decoded, messages) = try decode(yaml)
        #expect(messages == [])
        let blueprint = try #require(decoded as? HTTPBlueprint)
        let request = try blueprint.render(
            [Sample.outgoing(try Sample.event())], headers: blueprint.request.headers(contentType: nil),
            timestampSeconds: 0)
        return text(request.body)
    }

    /// What the format says of it by itself.
    private func rendered(_ name: String) throws -> String {
        let policy = ContentPolicy(includesOriginal: true, includesBiometrics: false)
        let options = RenderingOptions(policy: policy, hostname: MachineName.value)
        return text(
            try #require(Formats.named(name)).render(Sample.outgoing(try Sample.event(), routes: []), options))
    }

    @Test("is what the format makes of it: an object by itself and inside others", arguments: objects)
    func object(name: String) throws {
        #expect(try body("\"{format.\(name)}\"") == rendered(name))
        #expect(try body("{a: {b: \"{format.\(name)}\"}}") == "{\"a\":{\"b\":\(rendered(name))}}")
    }

    @Test("is a text, by itself and inside another, in the formats that are texts", arguments: texts)
    func line(name: String) throws {
        let line = try rendered(name)
        #expect(try body("\"{format.\(name)}\"") == quoted(line))
        #expect(try body("{a: \"<{format.\(name)}>\"}") == "{\"a\":\(quoted("<\(line)>"))}")
    }

    @Test("is without the sender's own payload where the target is")
    func original() throws {
        #expect(try body("\"{format.ecs}\"").contains("\"original\""))
        #expect(try !body("\"{format.ecs}\"", ", original: false").contains("\"original\""))
    }

    @Test(
        "is refused where it means nothing, at its place",
        arguments: [
            ("{a: \"{format.ec}\"}", "there is no field {format.ec} (did you mean format.ecs?)"),
            ("{a: \"{format.original}\"}", "there is no field {format.original}"),
            ("{a: \"x {format.ecs}\"}", "this text holds a whole object"),
            ("{a: \"{format.ecs|date}\"}", "{format.ecs} is no time"),
        ])
    func refused(template: String, message: String) throws {
        let (blueprint, messages) = try decode("{type: http, url: \"https://x.example/\", body: \(template)}")
        #expect(blueprint == nil && messages.count == 1 && messages[0].contains(message), "\(messages)")
    }

    @Test("a text with a character that has no place there counts as absent")
    func without() throws {
        #expect(
            try body("{a: \"{?visitor.email|without:+/}\", b: \"{?visitor.email|without:+@}\"}")
                == #"{"a":"john@example.com"}"#)
        let (blueprint, messages) = try decode(
            #"{type: http, url: "https://x.example/", body: {a: "{visitor.email|without}"}}"#)
        #expect(blueprint == nil && messages.count == 1 && messages[0].contains("needs characters"))
    }
}
