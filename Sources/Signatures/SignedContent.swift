import Cryptography

/// What is signed, as a template: `{body}`, `{ts}`, `{id}`, `{url}` and literal text.
package struct SignedContent: Sendable, Hashable, CustomStringConvertible {
    package enum Piece: Sendable, Hashable {
        case literal(String)
        case body, timestamp, id, url
    }

    package let pieces: [Piece]

    /// The names that stand in braces.
    package static let placeholders = ["body", "ts", "id", "url"]

    /// - Throws: `SignedContentError` for an unknown name in braces, an unclosed brace, or a template without `{body}`.
    package init(_ template: String) throws(SignedContentError) {
        var pieces: [Piece] = []
        var rest = Substring(template)
        while !rest.isEmpty {
            let literal = rest.prefix { $0 != "{" }
            if !literal.isEmpty { pieces.append(.literal(String(literal))) }
            rest = rest.dropFirst(literal.count)
            guard !rest.isEmpty else { break }
            guard let close = rest.firstIndex(of: "}") else { throw .unclosedBrace }
            let name = rest[rest.index(after: rest.startIndex)..<close]
            switch name {
            case "body": pieces.append(.body)
            case "ts": pieces.append(.timestamp)
            case "id": pieces.append(.id)
            case "url": pieces.append(.url)
            default: throw .unknownPlaceholder(String(name))
            }
            rest = rest[rest.index(after: close)...]
        }
        guard pieces.contains(.body) else { throw .noBody }
        self.pieces = pieces
    }

    /// For templates of this program.
    package init(known template: StaticString) {
        do {
            self = try SignedContent(template.description)
        } catch {
            preconditionFailure("\(template): \(error)")
        }
    }

    package var signsTimestamp: Bool { pieces.contains(.timestamp) }
    package var signsID: Bool { pieces.contains(.id) }
    package var signsURL: Bool { pieces.contains(.url) }

    package var description: String {
        pieces.map { piece in
            switch piece {
            case .literal(let text): text
            case .body: "{body}"
            case .timestamp: "{ts}"
            case .id: "{id}"
            case .url: "{url}"
            }
        }.joined()
    }
}

package enum SignedContentError: Error, Sendable, Hashable, CustomStringConvertible {
    case unknownPlaceholder(String)
    case unclosedBrace
    case noBody

    package var description: String {
        switch self {
        case .unknownPlaceholder(let name): "there is no {\(name)} to sign"
        case .unclosedBrace: "a { has no }"
        case .noBody: "the signed content leaves out {body}, so anybody could change it"
        }
    }
}

/// The values of one request's template; the body is only read while the message is authenticated.
@safe struct SignedMessage {
    var body: UnsafeRawBufferPointer
    /// As received, never reformatted.
    var timestamp = ""
    var id = ""
    var url = ""

    func authenticate(_ content: SignedContent, with key: HMACKey) -> [UInt8] {
        var state = key.begin()
        for piece in content.pieces {
            switch piece {
            case .literal(let text): state.update(text)
            case .body: unsafe state.update(body)
            case .timestamp: state.update(timestamp)
            case .id: state.update(id)
            case .url: state.update(url)
            }
        }
        return state.finish()
    }

    /// The content in one piece, for algorithms that want it whole.
    func assembled(_ content: SignedContent) -> [UInt8] {
        var bytes: [UInt8] = []
        unsafe bytes.reserveCapacity(body.count + 256)
        for piece in content.pieces {
            switch piece {
            case .literal(let text): bytes.append(contentsOf: text.utf8)
            case .body: unsafe bytes.append(contentsOf: body)
            case .timestamp: bytes.append(contentsOf: timestamp.utf8)
            case .id: bytes.append(contentsOf: id.utf8)
            case .url: bytes.append(contentsOf: url.utf8)
            }
        }
        return bytes
    }
}
