import Events
import YAML

/// `url:` with an event's values in its path or query: each stays inside the place it was put in.
struct URLTemplate: Sendable {
    /// What stands before the first `/` behind the host: scheme, host and port.
    private let origin: String
    private let pieces: [BodyTemplate.Piece]
    private let policy: ContentPolicy

    /// Of a URL that would be sent, in bytes.
    static let maximumBytes = 8192

    var namedFields: [NamedField] { pieces.flatMap { $0.named(.always) } }

    /// The URL for one event.
    /// - Throws: when a value is missing, or would make another URL than the one that is meant.
    func url(for event: EventView) throws(RenderingError) -> String {
        var resource: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .literal(let literal): resource.append(contentsOf: literal)
            case .reference(let reference):
                guard let value = reference.value(in: event, policy), !value.isBlank(event) else {
                    throw RenderingError(
                        "the URL needs {\(reference.field.spelled)}, and the event has none that may stand there")
                }
                var text: [UInt8] = []
                value.append(event, to: &text)
                Self.append(encoded: text, to: &resource)
            }
        }
        let path = resource.prefix { $0 != UInt8(ascii: "?") }
        let segments = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard !segments.contains(where: { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }) else {
            throw RenderingError("a value would make `.` or `..` of a part of the URL")
        }
        guard origin.utf8.count + resource.count <= Self.maximumBytes else {
            throw RenderingError("the URL would be longer than \(Self.maximumBytes) bytes")
        }
        return origin + String(decoding: resource, as: UTF8.self)
    }

    /// Everything but the unreserved characters of RFC 3986, section 2.3, percent-encoded.
    private static func append(encoded text: [UInt8], to url: inout [UInt8]) {
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                url.append(byte)
            default: url += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }
}

extension URLTemplate {
    /// Takes a URL apart that has references in it.
    /// - Returns: the URL with an `x` for each reference, by which everything else of it is checked, and what makes a
    ///   template of it once that is done; nil for a URL without references, or when an error was reported.
    static func read(
        _ node: YAMLNode, _ policy: ContentPolicy, _ diagnostics: inout Diagnostics
    ) -> (plain: YAMLNode, pieces: [BodyTemplate.Piece])? {
        guard let scalar = node.scalar, scalar.isResolved, scalar.text.contains("{") else { return nil }
        let decoder = TemplateReferenceDecoder(policy: policy)
        var pieces: [BodyTemplate.Piece] = []
        var plain = ""
        for part in TemplateText.parts(scalar.text) {
            switch part {
            case .literal(let text):
                pieces.append(.literal(Array(text.utf8)))
                plain += text
            case .reference(let name):
                guard !name.hasPrefix("?") else {
                    diagnostics.error(
                        at: node.location, "nothing can be left out of a URL: remove the ? of {\(displayable(name))}")
                    return nil
                }
                guard let reference = decoder.reference(name, isOptional: false, node, &diagnostics) else { return nil }
                guard !reference.field.isObject else {
                    diagnostics.error(
                        at: node.location, "{\(displayable(name))} is a whole object, which has no place in a URL")
                    return nil
                }
                guard hasPath(plain) else {
                    diagnostics.error(
                        at: node.location,
                        "an event's values can stand in the path and the query of a URL, not before: where events go is "
                            + "fixed")
                    return nil
                }
                pieces.append(.reference(reference))
                plain += "x"
            case .unclosed, .unopened:
                diagnostics.error(at: node.location, "a { and a } of this URL do not belong together")
                return nil
            }
        }
        var checked = node
        checked.content = .scalar(
            YAMLScalar(text: plain, style: scalar.style, reference: scalar.reference ?? scalar.text))
        return (checked, pieces)
    }

    /// Whether the host has ended.
    private static func hasPath(_ text: String) -> Bool {
        guard let slashes = text.firstRange(of: "://") else { return false }
        return text[slashes.upperBound...].contains { $0 == "/" || $0 == "?" }
    }

    /// - Parameters:
    ///   - endpoint: of the plain URL.
    ///   - pieces: of the whole one.
    init(_ endpoint: Endpoint, _ pieces: [BodyTemplate.Piece], _ policy: ContentPolicy) {
        self.policy = policy
        let slashes = endpoint.url.firstRange(of: "://")?.upperBound ?? endpoint.url.startIndex
        let path = endpoint.url[slashes...].firstIndex(of: "/") ?? endpoint.url.endIndex
        origin = String(endpoint.url[..<path])
        var pieces = pieces
        // The first is a literal: it has the host in it.
        if case .literal(let first)? = pieces.first {
            let text = String(decoding: first, as: UTF8.self)
            let begin = text.firstRange(of: "://")?.upperBound ?? text.startIndex
            let resource = text[begin...].drop { $0 != "/" && $0 != "?" }
            pieces[0] = .literal(Array((resource.hasPrefix("?") ? "/" + resource : String(resource)).utf8))
        }
        self.pieces = pieces
    }
}
