package import Events
import JSON
import YAML

/// `key:` of an http target: the text by which its receiver knows whose record an event is about.
package struct RecordKey: Sendable {
    private let pieces: [BodyTemplate.Piece]
    private let policy: ContentPolicy

    /// Nil for an event that has no such key: a part of it is absent, null or blank.
    package func text(of event: EventView) -> [UInt8]? {
        for case .reference(let reference) in pieces {
            guard let value = reference.value(in: event, policy), !value.isBlank(event) else { return nil }
        }
        return BodyTemplate.text(pieces, event, policy)
    }

    var namedFields: [NamedField] { pieces.flatMap { $0.named(.always) } }

    /// Nil when an error was reported.
    init?(_ node: YAMLNode, _ policy: ContentPolicy, _ diagnostics: inout Diagnostics) {
        guard let template = BodyTemplate(node, policy, &diagnostics) else { return nil }
        self.policy = policy
        switch template {
        case .value(let reference, .always) where !reference.field.isObject: pieces = [.reference(reference)]
        case .text(let pieces, .always) where pieces.contains(where: \.isReference): self.pieces = pieces
        default:
            diagnostics.error(
                at: node.location,
                "`key:` says by which of its values an event's record is found: \"{visitor.email}\", or a text with such "
                    + "references in it, none of them marked with a ?")
            return nil
        }
        for case .reference(let reference) in pieces where reference.hasFallback {
            diagnostics.error(
                at: node.location,
                "a `default:` in `key:` would make one record of everybody who has none: leave it out")
            return nil
        }
    }
}

extension BodyTemplate.Piece {
    fileprivate var isReference: Bool { if case .reference = self { true } else { false } }
}

extension TemplateReference {
    fileprivate var hasFallback: Bool {
        filters.contains { if case .fallback = $0 { true } else { false } }
    }
}

extension TargetSettings {
    /// Reads `key` and `merge`, for a type whose bodies are records.
    mutating func decodeRecords(_ reader: inout MappingReader, _ diagnostics: inout Diagnostics) {
        let keyNode = reader.optional("key")
        recordKey = keyNode.flatMap { RecordKey($0, ContentPolicy(self), &diagnostics) }
        if keyNode != nil, reader["order"] == nil { order = .key }
        let mergeNode = reader.optional("merge")
        let isWanted = mergeNode?.boolean(&diagnostics)
        mergesRecords = keyNode != nil && reader["batch"] != nil && reader["body"] != nil && isWanted != false
        if let mergeNode, isWanted == true, !mergesRecords {
            diagnostics.error(
                at: mergeNode.location,
                "`merge:` makes one record of a key's events in a batch: it needs `key:`, `batch:` and a `body:`")
        }
    }
}
