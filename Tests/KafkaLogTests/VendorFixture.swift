import EventLog
import Events
import Foundation
import JSON
import Testing
import Vendors

/// A payload as a sender posts it.
struct VendorFixture: Sendable, CustomTestStringConvertible {
    let vendor: any Vendor
    let file: URL

    var testDescription: String { "\(vendor.name)/\(file.deletingPathExtension().lastPathComponent)" }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "VendorsTests/Fixtures")

    static let all: [VendorFixture] = Vendors.all.flatMap { vendor in
        let folder = folder.appending(path: vendor.name)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".json") && !$0.hasSuffix(".expected.json") }.sorted().map {
            VendorFixture(vendor: vendor, file: folder.appending(path: $0))
        }
    }

    func record(verifiedBy: String?) throws -> NewRecord {
        let tape = try JSONParser().parse(Array(Data(contentsOf: file)))
        var draft = EventDraft()
        draft.reset(receivedAt: Timestamp("2024-08-01T00:00:00.000Z")!)
        Decoder.decode(
            tape, tape.root, vendor: vendor, settings: DecodeSettings(source: "lobby"), query: nil, messageID: nil,
            into: &draft)
        let event = EventEncoder.encode(draft, source: "lobby", keySpace: "lobby", tape: tape, element: tape.root)
        return NewRecord(event, source: "lobby", verifiedBy: verifiedBy)
    }
}

extension NewRecord {
    init(_ event: EncodedEvent, source: String, verifiedBy: String?) {
        self.init(
            id: event.id, type: event.type.rawValue, partitionKey: event.partitionKey,
            timeMs: event.time.milliseconds, receivedAtMs: event.receivedAt.milliseconds, source: source,
            visitorID: event.visitorID, returningID: event.returningID, email: event.email, verifiedBy: verifiedBy,
            payload: event.payload)
    }
}
