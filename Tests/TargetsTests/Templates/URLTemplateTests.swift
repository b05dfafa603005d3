import Events
import HTTPClient
import HTTPTypes
import JSON
import Testing

@testable import Targets

@Suite("A URL with an event's values in it")
struct URLTemplateTests {
    private func request(_ url: String, _ event: EventView) throws -> HTTPClientRequest {
        let (decoded, messages) = try decode("{type: http, method: PATCH, url: \"\(url)\", body: {n: 1}}")
        #expect(messages == [])
        let blueprint = try #require(decoded as? HTTPBlueprint)
        return try blueprint.render([Sample.outgoing(event)], headers: [:], timestampSeconds: 0)
    }

    @Test("has them percent-encoded, in the path and in the query")
    func encoded() throws {
        let event = try Sample.event(
            replacing: ["visitor": #"{"id":"1234","name":"a/b?c#d&e=f%2e+ü ~_-.","email":"o'hara@acme.com"}"#])
        #expect(
            try request("https://x.example/c/{visitor.id}/{visitor.name}?q={visitor.email|lower}&r=1", event).url
                == "https://x.example/c/1234/a%2Fb%3Fc%23d%26e%3Df%252e%2B%C3%BC%20~_-.?q=o%27hara%40acme.com&r=1")
        #expect(
            try request("https://x.example/contacts(email='{visitor.email|odata}')", event).url
                == "https://x.example/contacts(email='o%27%27hara%40acme.com')")
        #expect(try request("https://x.example?q={visitor.id}", event).url == "https://x.example/?q=1234")
        #expect(try request("https://u:p@x.example:8443/{visitor.id}", event).url == "https://x.example:8443/1234")
    }

    @Test(
        "stays the URL that is meant, whatever visitors typed",
        arguments: Hostile.texts + [".", "..", "%2e%2e", "../..", "x/../y"])
    func hostile(name: String) throws {
        let event = try Sample.event(name: name)
        let url: String
        do {
            url = try request("https://x.example/a/{visitor.name}/z?n={visitor.name}", event).url
        } catch is RenderingError {
            let isBlank = name.unicodeScalars.allSatisfy(\.properties.isWhitespace)
            #expect(isBlank || name == "." || name == ".." || name.utf8.count > 2000)
            return
        }
        #expect(url.hasPrefix("https://x.example/a/"))
        let resource = url.dropFirst("https://x.example/".count)
        let halves = resource.split(separator: "?", omittingEmptySubsequences: false)
        #expect(halves.count == 2 && halves[0].split(separator: "/", omittingEmptySubsequences: false).count == 3)
        #expect(halves[0].hasSuffix("/z") && halves[1].hasPrefix("n="))
        #expect(url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "&") })
    }

    @Test("is not sent without a value it needs, which is the event's fault")
    func missing() throws {
        for visitor in [#"{"id":"1"}"#, #"{"email":null}"#, #"{"email":""}"#, #"{"email":" "}"#] {
            let event = try Sample.event(replacing: ["visitor": visitor])
            #expect(throws: RenderingError.self) { try request("https://x.example/{visitor.email}", event) }
        }
    }

    @Test("is told to people as it is written")
    func display() throws {
        let (decoded, _) = try decode("{type: http, url: \"https://x.example/c/{visitor.id}?k={visitor.name}\"}")
        #expect(decoded?.destination == "https://x.example/c/{visitor.id}")
    }

    @Test(
        "is wrong, and says so when it is read",
        arguments: [
            ("https://{site.id}.example/", "where events go is fixed"), ("{visitor.id}", "where events go is fixed"),
            ("https://x.example{visitor.id}/", "where events go is fixed"),
            ("https://x.example:{visitor.id}/", "where events go is fixed"),
            ("https://x.example/{visitor}", "is a whole object"),
            ("https://x.example/{?visitor.id}", "nothing can be left out of a URL"),
            ("https://x.example/{visitor.idd}", "there is no field {visitor.idd}"),
            ("https://x.example/{visitor.id", "do not belong together"),
            ("https://127.0.0.1/{visitor.id}", "is a loopback address"),
        ])
    func mistakes(url: String, message: String) throws {
        let (decoded, messages) = try decode("{type: http, url: \"\(url)\"}")
        #expect(decoded == nil)
        #expect(messages.count == 1 && messages[0].contains(message), "\(messages)")
    }

    @Test("takes one event a request")
    func batch() throws {
        let (_, messages) = try decode("{type: http, url: \"https://x.example/{visitor.id}\", batch: {}}")
        #expect(messages.count == 1 && messages[0].contains("leave `batch:` out"), "\(messages)")
    }
}
