internal import Events
internal import FieldPolicies
internal import Ingest
internal import Signatures
internal import Targets
internal import Vendors

/// The JSON Schema (draft 2020-12) of the configuration file, for editors. `check` is the judge: it knows more than a
/// schema can say.
package enum ConfigurationSchema {
    package static var text: String {
        """
        {"$schema": "https://json-schema.org/draft/2020-12/schema",
         "title": "Gatehouse configuration",
         "type": "object", "additionalProperties": false,
         "properties": {
          "listen": {"description": "where senders post to", "anyOf": [\(address), \(listen)]},
          "console": {"description": "health, metrics and the API", "anyOf": [\(address), \(console)]},
          "data": {"type": "string", "description": "the folder of the log and the state; one instance"},
          "log": {"description": "where events are kept", "anyOf": [{"const": "embedded"}, \(log)]},
          "retention": \(object(["age": duration, "size": size, "dead_letters": duration, "history": duration])),
          "dedupe": \(duration),
          "shutdown": \(duration),
          "sources": {"type": "object", "additionalProperties": \(source)},
          "sites": {"type": "object", "additionalProperties": \(site)},
          "targets": {"type": "object", "additionalProperties": \(target)},
          "presets": {"description": "a folder of presets of one's own", "type": "string"},
          "teams": {"description": "who may route what where", "type": "object", "additionalProperties": \(team)},
          "routes": \(oneOrMany(#"{"type": "string"}"#)),
          "decisions": {"description": "the file that says which visitors are let in", "type": "string"}
         }}
        """
    }

    private static let address = #"{"type": "string", "examples": ["127.0.0.1:8080", "[::1]:8080"]}"#
    private static let string = #"{"type": "string"}"#
    private static let boolean = #"{"type": "boolean"}"#
    private static let anything = "true"
    private static let duration = #"{"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$", "examples": ["30s", "24h"]}"#
    private static let size = #"{"type": ["string", "integer"], "examples": ["64MiB"]}"#
    private static let strings = oneOrMany(string)
    private static let networks = oneOrMany(#"{"type": "string", "examples": ["192.0.2.0/24"]}"#)
    private static let properties =
        #"{"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}"#
    private static let stringMap = #"{"type": "object", "additionalProperties": {"type": "string"}}"#

    private static let hash = object(["key": string, "fields": strings])
    private static let truncate = #"{"type": "object", "additionalProperties": {"type": "integer"}}"#
    private static let coarsen =
        #"{"type": "object", "additionalProperties": \#(choice(Coarseness.allCases.map(\.rawValue)))}"#

    private static var listen: String {
        object([
            "address": address, "tls": object(["cert": string, "key": string]), "trusted_proxies": networks,
            "connections": #"{"type": "integer"}"#,
        ])
    }

    private static var console: String {
        let token = object([
            "name": string, "role": choice(ConsoleToken.Role.allCases.map(\.rawValue)), "team": string, "token": string,
        ])
        return object(["listen": address, "tokens": oneOrMany(token), "open": boolean])
    }

    private static var log: String {
        object([
            "kafka": object([
                "brokers": strings, "instance": string, "prefix": string,
                "partitions": integer(KafkaLogSettings.partitionLimits),
                "replication": integer(KafkaLogSettings.replicationLimits),
                "min_isr": integer(KafkaLogSettings.replicationLimits), "create_topics": boolean,
                "spool": #"{"anyOf": [\#(choice(["on", "off"])), \#(object(["size": size]))]}"#,
                "format": choice(["binary", "structured"]), "properties": properties, "allow": networks,
            ])
        ])
    }

    private static var signature: String {
        object([
            "scheme": choice(SignatureSchemes.all.map(\.name)), "header": string, "algorithm": string,
            "encoding": string, "key": anything, "timestamp": anything, "content": string, "prefix": string,
            "separator": string, "id": anything, "secrets": strings,
        ])
    }

    private static var source: String {
        let types = choice(CanonicalType.ofSenders.map(\.rawValue))
        let fields = (EventField.ofSenders.map(\.path) + ["event", "time", "key"]).map { ($0, strings) }
        return object([
            "vendor": choice(Vendors.all.map(\.name)), "enabled": boolean, "secrets": strings, "api_key": strings,
            "headers": #"{"type": "object", "additionalProperties": \#(strings)}"#,
            "verify": #"{"const": "none"}"#, "signature": signature, "signed": choice(["body", "payload"]),
            "tolerance": duration, "max_body": size, "allow": networks,
            "listen": #"{"anyOf": [\#(address), \#(listen)]}"#,
            "group": #"{"anyOf": [\#(string), \#(object(["query": string]))]}"#, "labels": stringMap,
            "events": #"{"type": "object", "additionalProperties": \#(types)}"#,
            "map": object(Dictionary(uniqueKeysWithValues: fields)), "timezone": string, "dedupe_as": string,
            "expect_every": duration, "biometrics": choice(["keep", "remove"]),
            "only": strings, "redact": strings, "hash": hash, "truncate": truncate, "coarsen": coarsen,
            "mode": choice(SourceMode.allCases.map(\.rawValue)), "deadline": duration,
        ])
    }

    private static var site: String {
        object([
            "name": string, "timezone": string,
            "ids": #"{"type": "object", "additionalProperties": \#(oneOrMany(#"{"type": ["string", "integer"]}"#))}"#,
        ])
    }

    private static var team: String {
        object(["files": strings, "decisions": string, "scope": #"{"type": "object"}"#, "targets": strings])
    }

    /// The keys of all types; which of them a type takes, `check` says.
    private static var target: String {
        targetObject([
            "preset": string,
            "type": choice(TargetTypes.all.map(\.name)), "description": string, "enabled": boolean, "start": string,
            "allow": networks, "concurrency": #"{"type": "integer"}"#, "timeout": duration,
            "rate": string, "order": choice(DeliveryOrder.allCases.map(\.rawValue)),
            "batch": object([
                "max_events": #"{"type": "integer"}"#, "max_bytes": size, "every": duration, "wrap": anything,
                "before": anything,
            ]),
            "compression": choice(["gzip"]), "form": #"{"type": "object"}"#, "response": response, "key": string,
            "merge": boolean,
            "only_if": #"{"type": "object"}"#, "opt_out": #"{"anyOf": [\#(strings), {"type": "object"}]}"#,
            "attempts": #"{"type": "integer"}"#, "give_up_after": duration, "original": boolean,
            "only": strings, "redact": strings, "hash": hash, "truncate": truncate, "coarsen": coarsen,
            "events": strings,
            "biometrics": #"{"const": "send"}"#,
            "tls": object(["ca": string, "cert": string, "key": string, "pin": string]),
            "address": string, "format": anything, "framing": string, "facility": string, "hostname": string,
            "header": string, "enterprise": #"{"type": ["string", "integer"]}"#,
            "structured_data": #"{"type": "object", "additionalProperties": \#(stringMap)}"#, "bom": boolean,
            "resend": anything, "max_bytes": size, "method": string, "url": string, "headers": stringMap,
            "body": anything,
            "auth": anything, "token": string, "sign": signature, "path": string,
            "brokers": strings, "topic": string, "properties": properties,
            "rotate": object(["size": size, "every": duration, "keep": #"{"type": "integer"}"#]),
        ])
    }

    /// With a preset its parameters are keys too.
    private static func targetObject(_ properties: [String: String]) -> String {
        let members = properties.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }
        return """
            {"type": "object", "properties": {\(members.joined(separator: ", "))},
             "if": {"not": {"required": ["preset"]}},
             "then": {"propertyNames": \(choice(properties.keys.sorted()))}}
            """
    }

    private static var response: String {
        let condition = #"{"type": "object"}"#
        let list = ["at": string, "id": string, "event": string, "ok": condition, "retry": condition]
        return object([
            "ok": condition, "retry": condition, "items": object(list), "errors": object(list),
            "taken": oneOrMany(#"{"type": "integer"}"#),
            "statuses": oneOrMany(#"{"type": "integer"}"#),
            "refused": object(["statuses": oneOrMany(#"{"type": "integer"}"#), "retry": condition]),
        ])
    }

    private static func object(_ properties: [String: String]) -> String {
        let members = properties.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }
        return
            #"{"type": "object", "additionalProperties": false, "properties": {\#(members.joined(separator: ", "))}}"#
    }

    private static func integer(_ range: ClosedRange<Int>) -> String {
        #"{"type": "integer", "minimum": \#(range.lowerBound), "maximum": \#(range.upperBound)}"#
    }

    private static func oneOrMany(_ schema: String) -> String {
        #"{"anyOf": [\#(schema), {"type": "array", "items": \#(schema)}]}"#
    }

    private static func choice(_ words: [String]) -> String {
        #"{"enum": [\#(words.map { "\"\($0)\"" }.joined(separator: ", "))]}"#
    }
}
