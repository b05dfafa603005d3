import Cryptography
import YAML

/// Tells whether two configurations say the same: comments, places and styles that change no meaning left out.
enum Fingerprint {
    /// SHA-256 in hex.
    static func of(_ node: YAMLNode) -> String {
        var text: [UInt8] = []
        append(node, to: &text)
        let digest = Hex.encode(SHA256.hash(text))
        cleanse(&text)
        return digest
    }

    /// Each part with its kind and length before it, so that no two different nodes give one text.
    private static func append(_ node: YAMLNode, to text: inout [UInt8]) {
        switch node.content {
        case .scalar(let scalar):
            text.append(contentsOf: "\(scalar.isPlain ? "p" : "q")\(scalar.text.utf8.count):".utf8)
            text.append(contentsOf: scalar.text.utf8)
        case .sequence(let elements):
            text.append(contentsOf: "[\(elements.count):".utf8)
            for element in elements { append(element, to: &text) }
        case .mapping(let entries):
            text.append(contentsOf: "{\(entries.count):".utf8)
            for entry in entries {
                append(entry.key, to: &text)
                append(entry.value, to: &text)
            }
        }
    }
}
