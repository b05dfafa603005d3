import Delivery
import Foundation
import Testing

@testable import Console

@Suite("The description of the API")
struct OpenAPITests {
    @Test("names every resource, and what it refers to is there")
    func document() async throws {
        let console = try ConsoleFixture()
        let answer = try await console.get("/api/v1/openapi.json", token: ConsoleFixture.london)
        #expect(answer.object["openapi"] as? String == "3.1.0")
        let paths = try #require(answer.object["paths"] as? [String: Any])
        #expect(Set(paths.keys) == Set(APIResources.all.map { "/api/v1/" + $0.path }))
        let components = try #require(answer.object["components"] as? [String: Any])
        let schemas = try #require(components["schemas"] as? [String: Any])
        for match in answer.text.matches(of: /"#\/components\/schemas\/(\w+)"/) {
            #expect(schemas[String(match.1)] != nil, "\(match.1)")
        }
        #expect(Set(schemas.keys) == Set(APISchemas.all.map(\.name)))
    }

    @Test("says what every answer holds", arguments: APIResources.all.map(\.path))
    func answers(path: String) async throws {
        let console = try ConsoleFixture()
        console.append(0..<5)
        for number in 0..<3 {
            console.store.refuse(.init(atMs: Int64(number), source: "london", address: nil, code: "code", detail: "x"))
        }
        // An entry for the audit log.
        _ = try await console.get("/api/v1/events?unmask=true", token: ConsoleFixture.operator)
        let description = try await console.get("/api/v1/openapi.json", token: ConsoleFixture.viewer)
        let checker = SchemaChecker(description.object)
        let resource = try #require(APIResources.all.first { $0.path == path })
        let method = resource.method
        let place = path.replacing("{id}", with: ConsoleFixture.id(1)).replacing("{name}", with: "siem")
        let cases: [(String, String?)] = [
            (place, ConsoleFixture.operator), (place, ConsoleFixture.london), (place, nil),
            (place + "?no=1", ConsoleFixture.operator),
            (path.replacing("{id}", with: ConsoleFixture.id(99)), ConsoleFixture.operator),
        ]
        for (asked, token) in cases {
            let answer = try await console.get("/api/v1/" + asked, token: token, method: method)
            let value = try JSONSerialization.jsonObject(with: Data(answer.text.utf8))
            let type = answer.header("Content-Type") ?? ""
            #expect(
                checker.flaws(value, "/api/v1/" + path, answer.status, type, method) == [], "\(asked): \(answer.text)")
        }
    }

    @Test("is not met by just anything")
    func checker() throws {
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(OpenAPIDocument.text)) as? [String: Any])
        let checker = SchemaChecker(document)
        func flaws(_ text: String, _ status: Int = 200) throws -> [String] {
            let value = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
            return checker.flaws(value, "/api/v1/refusals", status, "application/json")
        }
        #expect(try flaws(#"{"items": [], "next": null}"#) == [])
        for text in [#"{"items": []}"#, "[]", #"{"items": {}, "next": null}"#, #"{"items": [{}], "next": null}"#] {
            #expect(try !flaws(text).isEmpty, "\(text)")
        }
        #expect(try !flaws("{}", 418).isEmpty)
    }
}

/// As much of JSON Schema as the description uses.
struct SchemaChecker {
    private let document: [String: Any]

    init(_ document: [String: Any]) {
        self.document = document
    }

    func flaws(
        _ value: Any, _ path: String, _ status: Int, _ type: String, _ method: String = "GET"
    ) -> [String] {
        guard let operation = at(["paths", path, method.lowercased()]) as? [String: Any],
            let response = (operation["responses"] as? [String: Any])?["\(status)"] as? [String: Any],
            let content = (response["content"] as? [String: Any])?[type] as? [String: Any],
            let schema = content["schema"] as? [String: Any]
        else { return ["\(path) does not answer \(status) with \(type)"] }
        return flaws(value, schema, "")
    }

    private func at(_ path: [String]) -> Any? {
        path.reduce(document) { value, name in (value as? [String: Any])?[name] }
    }

    private func flaws(_ value: Any, _ schema: [String: Any], _ place: String) -> [String] {
        if let reference = schema["$ref"] as? String {
            guard let target = at(reference.dropFirst(2).split(separator: "/").map(String.init)) as? [String: Any]
            else {
                return ["\(place): \(reference) is not there"]
            }
            return flaws(value, target, place)
        }
        if let choices = schema["anyOf"] as? [[String: Any]] {
            return choices.contains { flaws(value, $0, place).isEmpty } ? [] : ["\(place): none of anyOf"]
        }
        var found: [String] = []
        let types = schema["type"] as? [String] ?? (schema["type"] as? String).map { [$0] }
        if let types, !types.contains(where: { Self.isA($0, value) }) { return ["\(place): not \(types): \(value)"] }
        if let words = schema["enum"] as? [String], let text = value as? String, !words.contains(text) {
            found.append("\(place): \(text) is not one of \(words)")
        }
        if let constant = schema["const"] as? String, value as? String != constant {
            found.append("\(place): not \(constant)")
        }
        if let pattern = schema["pattern"] as? String, let text = value as? String,
            text.range(of: pattern, options: .regularExpression) == nil
        {
            found.append("\(place): \(text) does not match \(pattern)")
        }
        if let object = value as? [String: Any] {
            for name in schema["required"] as? [String] ?? [] where object[name] == nil {
                found.append("\(place): \(name) is missing")
            }
            let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
            for (name, member) in object {
                if let schema = properties[name] ?? schema["additionalProperties"] as? [String: Any] {
                    found += flaws(member, schema, "\(place)/\(name)")
                }
            }
        }
        if let elements = value as? [Any], let schema = schema["items"] as? [String: Any] {
            for (index, element) in elements.enumerated() { found += flaws(element, schema, "\(place)/\(index)") }
        }
        return found
    }

    private static func isA(_ type: String, _ value: Any) -> Bool {
        switch type {
        case "null": value is NSNull
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "boolean": value is Bool
        case "integer", "number": value is NSNumber && !(value is NSNull)
        default: false
        }
    }
}
