internal import JSON

/// The description of the API (OpenAPI 3.1), made from its resources.
enum OpenAPIDocument {
    static let text: [UInt8] = {
        var writer = JSONWriter()
        writer.beginObject()
        writer.pair("openapi", "3.1.0")
        writer.object("info") {
            $0.pair("title", "Gatehouse console API")
            $0.pair("version", "1")
            $0.pair(
                "description",
                "Personal fields are masked (`***`) unless an operator asks for `unmask=true`. With `Accept: "
                    + "application/x-ndjson` a list has one item a line, and its `next` in the header Gatehouse-Next.")
        }
        writer.array("security") { $0.element { $0.array("token") { _ in } } }
        writer.object("paths", paths)
        writer.object("components") {
            $0.object("securitySchemes") {
                $0.object("token") {
                    $0.pair("type", "http")
                    $0.pair("scheme", "bearer")
                }
            }
            $0.object("schemas") { writer in
                for schema in APISchemas.all {
                    writer.key(schema.name)
                    writer.raw(Array(schema.text.utf8))
                }
            }
        }
        writer.endObject()
        return writer.bytes
    }()

    /// What every resource may answer with.
    private static let common: [Int: String] = [
        400: "the query makes no sense", 401: "no token, or not one of ours",
        403: "the token's role or team does not reach this", 429: "too many wrong tokens came from this address",
        500: "the records could not be read", 503: "ask again after `Retry-After`",
    ]

    private static func paths(_ writer: inout JSONWriter) {
        var known: Set<String> = []
        for resource in APIResources.all where known.insert(resource.path).inserted {
            writer.object(APIResources.prefix + resource.path) { writer in
                for method in APIResources.all where method.path == resource.path {
                    writer.object(method.method.lowercased()) { operation(method, &$0) }
                }
            }
        }
    }

    private static func operation(_ resource: APIResource, _ writer: inout JSONWriter) {
        writer.pair("summary", resource.summary)
        if !resource.details.isEmpty { writer.pair("description", resource.details) }
        writer.pair("x-role", resource.role.rawValue)
        writer.key("x-for-teams")
        writer.bool(resource.isForTeams)
        writer.array("parameters") { writer in
            for name in resource.pathNames {
                writer.element {
                    $0.pair("name", name)
                    $0.pair("in", "path")
                    $0.key("required")
                    $0.bool(true)
                    $0.object("schema") { $0.pair("type", "string") }
                }
            }
            for parameter in resource.parameters { writer.element { parameter.describe(&$0) } }
        }
        if resource.takesParametersInBody {
            writer.object("requestBody") {
                $0.pair("description", "the parameters, in place of the query or beside it")
                $0.object("content") {
                    $0.object("application/json") { $0.object("schema") { parameters(resource.parameters, &$0) } }
                }
            }
        }
        writer.object("responses") { writer in
            writer.object("200") {
                $0.pair("description", "found")
                $0.object("content") { content(resource.result, &$0) }
            }
            let refusals = common.merging(resource.further) { $1 }
            for (status, meaning) in refusals.sorted(by: { $0.key < $1.key }) {
                writer.object("\(status)") {
                    $0.pair("description", meaning)
                    $0.object("content") {
                        $0.object("application/problem+json") { $0.object("schema") { reference("Problem", &$0) } }
                    }
                }
            }
        }
    }

    private static func parameters(_ parameters: [APIParameter], _ writer: inout JSONWriter) {
        writer.pair("type", "object")
        writer.object("properties") { writer in
            for parameter in parameters {
                writer.object(parameter.name) {
                    $0.pair("description", parameter.summary)
                    parameter.describeValue(&$0)
                }
            }
        }
    }

    private static func content(_ result: APIResult, _ writer: inout JSONWriter) {
        writer.object("application/json") {
            $0.object("schema") { schema in
                switch result {
                case .object(let name): reference(name, &schema)
                case .list(let name): envelope(name, &schema)
                }
            }
        }
        if case .list(let name) = result {
            writer.object("application/x-ndjson") { $0.object("schema") { reference(name, &$0) } }
        }
    }

    private static func envelope(_ name: String, _ writer: inout JSONWriter) {
        writer.pair("type", "object")
        writer.array("required") {
            $0.string("items")
            $0.string("next")
        }
        writer.object("properties") {
            $0.object("items") {
                $0.pair("type", "array")
                $0.object("items") { reference(name, &$0) }
            }
            $0.object("next") {
                $0.array("type") {
                    $0.string("string")
                    $0.string("null")
                }
            }
        }
    }

    private static func reference(_ name: String, _ writer: inout JSONWriter) {
        writer.pair("$ref", "#/components/schemas/\(name)")
    }
}

extension APIParameter {
    fileprivate func describe(_ writer: inout JSONWriter) {
        writer.pair("name", name)
        writer.pair("in", "query")
        writer.pair("description", summary)
        writer.object("schema") { describeValue(&$0) }
    }

    fileprivate func describeValue(_ writer: inout JSONWriter) {
        switch kind {
        case .text, .moment: writer.pair("type", "string")
        case .boolean: writer.pair("type", "boolean")
        case .integer(let range):
            writer.pair("type", "integer")
            writer.key("minimum")
            writer.integer(Int64(range.lowerBound))
            writer.key("maximum")
            writer.integer(Int64(range.upperBound))
        case .choice(let words):
            writer.pair("type", "string")
            writer.array("enum") { for word in words { $0.string(word) } }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func pair(_ key: String, _ value: String) {
        self.key(key)
        string(value)
    }

    fileprivate mutating func object(_ key: String, _ fill: (inout JSONWriter) -> Void) {
        self.key(key)
        element(fill)
    }

    fileprivate mutating func element(_ fill: (inout JSONWriter) -> Void) {
        beginObject()
        fill(&self)
        endObject()
    }

    fileprivate mutating func array(_ key: String, _ fill: (inout JSONWriter) -> Void) {
        self.key(key)
        beginArray()
        fill(&self)
        endArray()
    }
}
