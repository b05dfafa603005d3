import Events
import JSON

/// What formats say of a canonical type, as bytes, made once.
final class TypeWords: Sendable {
    let type: CanonicalType
    /// The type's place among all.
    let index: Int
    let isSystem: Bool
    let description: EventDescription
    let name: [UInt8]
    let action: [UInt8]
    /// Empty where it is still open, or no such question.
    let outcome: [UInt8]
    /// The first part of the type, such as `visitor`.
    let category: [UInt8]

    private init(_ type: CanonicalType, _ index: Int) {
        self.type = type
        self.index = index
        isSystem = type.isSystem
        description = type.description
        name = Array(type.rawValue.utf8)
        action = Array(description.action.utf8)
        outcome = Array((description.outcome ?? "").utf8)
        category = Array(type.rawValue.utf8.prefix { $0 != UInt8(ascii: ".") })
    }

    /// In the order of the types.
    static let all = CanonicalType.allCases.enumerated().map { TypeWords($0.element, $0.offset) }
    /// For what is no canonical type.
    static let other: TypeWords = all.first { $0.type == .other } ?? all[0]

    /// By the length of the name, of which there are few alike.
    private static let byLength: [[TypeWords]] = {
        let longest = all.map(\.name.count).max() ?? 0
        return (0...longest).map { length in all.filter { $0.name.count == length } }
    }()

    /// - Parameter place: of the type's name in an event.
    static func of(_ tape: JSONTape, _ place: JSONIndex?) -> TypeWords? {
        guard let place, tape.kind(place) == .string else { return nil }
        let span = tape.span(place)
        guard byLength.indices.contains(span.count - 2) else { return nil }
        let name = tape.bytes[span.lowerBound + 1..<span.upperBound - 1]
        return byLength[span.count - 2].first { $0.name[...] == name }
    }
}

/// What is put together from several fields.
extension EventPlaces {
    /// The reasons a visitor was rejected for; empty when there are none.
    var rejection: [UInt8] {
        guard let reasons = self[.visitReasons] else { return [] }
        let texts = tape.elements(reasons).compactMap { entry in
            (tape.member(entry, "reason") ?? tape.member(entry, "name")).flatMap(tape.scalarText)
        }
        return Array(texts.joined(separator: "; ").utf8)
    }

    /// What an event of Gatehouse's own is about, or what the sender itself calls the event, which is all there is to know
    /// of one of type `other`.
    var subjectMatter: [UInt8] {
        if kind.isSystem {
            let concerned: [(String, EventField)] = [
                ("target", .systemTarget), ("source", .systemSource), ("team", .systemTeam),
            ]
            for (word, field) in concerned {
                if let place = first(field) { return Array("\(word) ".utf8) + text(place) }
            }
        }
        guard let name = first(.vendorEvent) else { return [] }
        guard let vendor = first(.vendor) else { return text(name) }
        var words = text(vendor)
        words.append(UInt8(ascii: " "))
        tape.appendText(name, to: &words)
        return words
    }

    /// A whole number, 64 bits wide and signed, as CEF's custom numbers are.
    var attempts: JSONIndex? {
        for field in [EventField.invitationAttempts, .faceAttempts] {
            if let place = self[field], tape.kind(place) == .integer { return place }
        }
        return nil
    }

    private func text(_ place: JSONIndex) -> [UInt8] {
        var text: [UInt8] = []
        tape.appendText(place, to: &text)
        return text
    }
}
