import Events
import Foundation
import HTTPClient
import HTTPTypes
import TestSupport
import Testing

@testable import Targets

@Suite("A form in the place of a JSON body")
struct FormBodyTests {
    private func blueprint(_ keys: String) throws -> (HTTPBlueprint?, [String]) {
        let (blueprint, messages) = try decode("{type: http, url: \"https://crm.example/\", \(keys)}")
        return (blueprint as? HTTPBlueprint, messages)
    }

    /// As Foundation reads a query.
    private func fields(_ form: [UInt8]) throws -> [[String]] {
        var components = URLComponents()
        components.percentEncodedQuery = text(form)
        return try #require(components.queryItems).map { [$0.name, $0.value ?? ""] }
    }

    private func render(_ keys: String, _ event: EventView) throws -> (request: [UInt8], type: String?) {
        let (blueprint, messages) = try blueprint(keys)
        #expect(messages == [])
        let made = try #require(blueprint)
        let headers = made.request.headers(contentType: made.contentType)
        let request = try made.render([Sample.outgoing(event)], headers: headers, timestampSeconds: 0)
        #expect(request.headers["Idempotency-Key"] == Sample.id)
        return (request.body, request.headers["Content-Type"])
    }

    @Test("has its fields in their order, with their values as text")
    func values() throws {
        let (form, type) = try render(
            """
            form: {"visitor[name]": "{visitor.name}", note: "{visitor.name} at {site.name}", returning: "{visitor.returning}",
             phone: "{visitor.phone}", mobile: "{?visitor.phone}", n: 7, yes: true, tag: [visitor, "{site.id}"]}
            """, try Sample.event(name: "A&B=C+D %41 é"))
        #expect(type == "application/x-www-form-urlencoded")
        #expect(
            try fields(form) == [
                ["visitor[name]", "A&B=C+D %41 é"], ["note", "A&B=C+D %41 é at Acme Co"], ["returning", "false"],
                ["phone", ""], ["n", "7"], ["yes", "true"], ["tag", "visitor"], ["tag", "4567"],
            ])
        #expect(text(form).hasPrefix("visitor%5Bname%5D=A%26B%3DC%2BD%20%2541%20%C3%A9&"))
    }

    @Test("keeps a visitor's text inside its field", arguments: Hostile.texts)
    func hostile(name: String) throws {
        let (form, _) = try render("form: {name: \"{visitor.name}\", last: end}", try Sample.event(name: name))
        #expect(try fields(form) == [["name", name], ["last", "end"]])
        #expect(form.allSatisfy { 0x21...0x7E ~= $0 })
    }

    @Test("is shown without secrets")
    func concealed() throws {
        let (decoded, messages) = try decode(
            "{type: http, url: \"https://crm.example/\", form: {key: \"${env:KEY}\", name: \"{visitor.name}\"}}",
            environment: ["KEY": "s3cr/et &+"])
        #expect(messages == [])
        let blueprint = try #require(decoded)
        let rendition = try blueprint.rendition(of: Sample.outgoing(try Sample.event()), hostname: "g", now: .now())
        #expect(text(rendition.bytes) == "key=${env:KEY}&name=John%20Smith")
    }

    @Test(
        "is checked when it is read",
        arguments: [
            ("form: {}", "no field"), ("form: {a: {b: c}}", "visitor[name]"), ("form: {a: [[b]]}", "a list of texts"),
            ("form: {a: \"{visitor.nam}\"}", "visitor.name"), ("form: text", "mapping"),
            ("form: {a: }", "nothing here"),
            ("form: {a: b}, body: {c: d}", "keep one of"), ("form: {a: b}, batch: {}", "leave `batch:` out"),
            ("form: {a: b}, method: GET", "has no body"),
        ])
    func wrong(keys: String, message: String) throws {
        let (blueprint, messages) = try blueprint(keys)
        #expect(blueprint == nil && messages.contains { $0.contains(message) }, "\(messages)")
    }
}
