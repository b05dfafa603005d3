import Events
import Foundation
import JSON
import Testing
import Vendors

/// A payload as a sender posts it, and beside it (`NAME.expected.json`) the canonical event it becomes, without
/// `original`.
struct Fixture: Sendable, CustomTestStringConvertible {
    let vendor: String
    let name: String

    var testDescription: String { "\(vendor)/\(name)" }
    var payload: [UInt8] { get throws { try Self.bytes(url(".json")) } }
    var expected: [UInt8] { get throws { try Self.bytes(url(".expected.json")) } }

    private func url(_ suffix: String) -> URL {
        Self.folder.appending(path: vendor).appending(path: name + suffix)
    }

    private static let folder = Bundle.module.resourceURL!.appending(path: "Fixtures")

    private static func bytes(_ url: URL) throws -> [UInt8] {
        Array(try Data(contentsOf: url))
    }

    static let all: [Fixture] = Vendors.all.map(\.name).flatMap { vendor in
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: vendor).path)) ?? []
        return files.filter { $0.hasSuffix(".json") && !$0.hasSuffix(".expected.json") }.sorted()
            .map { Fixture(vendor: vendor, name: String($0.dropLast(5))) }
    }
}

/// What the intake does with one element, without the intake.
struct Decoded {
    let tape: JSONTape
    let draft: EventDraft
    let event: EncodedEvent
    /// The canonical event, parsed.
    let canonical: JSONTape

    static let receivedAt = Timestamp("2024-08-01T00:00:00.000Z")!

    init(
        _ payload: [UInt8], vendor: any Vendor, settings: DecodeSettings = DecodeSettings(source: "lobby"),
        query: String? = nil, messageID: String? = nil
    ) throws {
        tape = try JSONParser().parse(payload)
        var draft = EventDraft()
        draft.reset(receivedAt: Self.receivedAt)
        Decoder.decode(
            tape, tape.root, vendor: vendor, settings: settings, query: query, messageID: messageID, into: &draft)
        self.draft = draft
        event = EventEncoder.encode(
            draft, source: settings.source, keySpace: settings.source, tape: tape, element: tape.root)
        canonical = try JSONParser().parse(event.payload)
    }

    init(
        _ payload: String, vendor name: String, settings: DecodeSettings = DecodeSettings(source: "lobby"),
        query: String? = nil, messageID: String? = nil
    ) throws {
        let vendor = try #require(Vendors.named(name))
        try self.init(Array(payload.utf8), vendor: vendor, settings: settings, query: query, messageID: messageID)
    }

    /// A scalar of `data`, by its dotted path; nil when absent or null.
    func text(_ field: EventField) -> String? {
        EventView(canonical)?.text(field)
    }

    var original: String? {
        EventView(canonical)?.original.map { String(decoding: canonical.bytes[canonical.span($0)], as: UTF8.self) }
    }

    /// A member of `personal` or `additional`.
    func entry(_ map: String, _ key: String) -> String? {
        canonical.value(at: JSONPointer(tokens: ["data", map, key])).flatMap(canonical.scalarText)
    }
}

/// Whether two values are the same, whatever the order of members and the space between them.
func isSame(_ one: JSONTape, _ a: JSONIndex, _ other: JSONTape, _ b: JSONIndex, without skipped: String? = nil) -> Bool
{
    guard one.kind(a) == other.kind(b) else { return false }
    switch one.kind(a) {
    case .object:
        let left = one.members(a).filter { one.text($0.key) != skipped }
        let right = other.members(b).filter { other.text($0.key) != skipped }
        return left.count == right.count
            && left.allSatisfy { member in
                guard let name = one.text(member.key), let value = other.member(b, named: name) else { return false }
                return isSame(one, member.value, other, value, without: skipped)
            }
    case .array:
        let left = Array(one.elements(a))
        let right = Array(other.elements(b))
        return left.count == right.count && zip(left, right).allSatisfy { isSame(one, $0, other, $1, without: skipped) }
    default:
        return one.scalarText(a) == other.scalarText(b)
    }
}
