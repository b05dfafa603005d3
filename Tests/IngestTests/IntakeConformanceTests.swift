import Addresses
import EventLog
import Events
import Foundation
import HTTPClient
import HTTPServer
import HTTPTypes
import Ingest
import JSON
import Metrics
import Signatures
import Simulator
import Synchronization
import Testing
import Vendors

/// One event of one vendor, named for the test's output.
struct Catalogued: Sendable, CustomTestStringConvertible {
    let vendor: any Vendor
    let event: VendorEvent

    var testDescription: String { "\(vendor.name)/\(event.name)" }

    static let all = Vendors.all.flatMap { vendor in vendor.events.map { Catalogued(vendor: vendor, event: $0) } }
    /// One event of each vendor.
    static let each = Vendors.all.compactMap { vendor in
        vendor.events.first.map { Catalogued(vendor: vendor, event: $0) }
    }
}

@Suite("The intake, for every vendor")
struct IntakeConformanceTests {
    @Test("takes what the simulated sender sends, as the canonical type of the table", arguments: Catalogued.all)
    func accepted(_ item: Catalogued) throws {
        let fixture = try IntakeFixture()
        let sender = try fixture.sender(item.vendor, item.event)
        let delivery = try sender.delivery(0..<1, at: .now())
        let headers = sender.headers(for: delivery, url: fixture.url(item.vendor), at: .now())
        let answer = try #require(fixture.post(item.vendor, delivery.body, headers))
        #expect(answer.status == 200)
        #expect(answer.body == item.vendor.acknowledgement(for: item.event.type).body)
        #expect(fixture.log.records.map(\.type) == [item.event.type.rawValue])
        let kept = try JSONParser().parse(fixture.log.records[0].payload)
        #expect(EventView(kept)?.text(.vendorEvent) == item.event.name)
        #expect(fixture.log.records.map(\.verifiedBy) == ["new"], "which of the two secrets it was is kept")
        #expect(fixture.refusals.all.isEmpty)
    }

    @Test("notes which secret it was when only the payload is signed, and that it was none", arguments: [true, false])
    func verifiedBy(isSigned: Bool) throws {
        let vendor = try #require(Vendors.named("alocity"))
        let fixture = try IntakeFixture { source in
            source.authentication.signed = .payload
            if !isSigned { source.authentication = SourceAuthentication() }
        }
        let payload = #"{"pinAttempts":1}"#
        let body = Array(#"{"EventCode":"PinOk","Id":"1","TimeStamp":1722304167,"Payload":\#(payload)}"#.utf8)
        let signer = try SignatureSigner(
            scheme: try #require(IntakeFixture.scheme(vendor)),
            secrets: [NamedSecret(name: "new", value: IntakeFixture.secret)])
        let signed = unsafe Array(payload.utf8).withUnsafeBytes { bytes in
            unsafe signer.headers(
                body: bytes, id: "msg_1", url: fixture.url(vendor),
                timestampSeconds: Timestamp.now().milliseconds / 1000)
        }
        #expect(fixture.post(vendor, body, HeaderFields(signed))?.status == 200)
        #expect(fixture.log.records.map(\.verifiedBy) == [isSigned ? "new" : ""])
    }

    @Test("refuses a flipped bit in the body or in what proves the sender", arguments: Catalogued.each)
    func flippedBit(_ item: Catalogued) throws {
        let fixture = try IntakeFixture()
        let sender = try fixture.sender(item.vendor, item.event)
        let delivery = try sender.delivery(0..<1, at: .now())
        let headers = sender.headers(for: delivery, url: fixture.url(item.vendor), at: .now())
        let isSigned = IntakeFixture.scheme(item.vendor) != nil
        if isSigned {
            for position in stride(from: 0, to: delivery.body.count, by: max(1, delivery.body.count / 7)) {
                var body = delivery.body
                body[position] ^= 1
                let answer = try #require(fixture.post(item.vendor, body, headers))
                #expect(answer.status == 401)
                #expect(fixture.lastRefusal()?.code == "signature_mismatch")
                #expect(fixture.lastRefusal()?.size == body.count)
            }
        }
        for (index, field) in headers.fields.enumerated() where field.name.lowercased() != "content-type" {
            var changed = headers.fields
            var value = Array(field.value.utf8)
            value[value.count / 2] ^= 2
            changed[index].value = String(decoding: value, as: UTF8.self)
            #expect(try #require(fixture.post(item.vendor, delivery.body, HeaderFields(changed))).status == 401)
            changed.remove(at: index)
            #expect(try #require(fixture.post(item.vendor, delivery.body, HeaderFields(changed))).status == 401)
        }
        #expect(fixture.log.records.isEmpty)
    }

    @Test("refuses a replay outside the tolerance and says the skew", arguments: Catalogued.each)
    func staleTimestamp(_ item: Catalogued) throws {
        guard IntakeFixture.scheme(item.vendor)?.timestamp != nil else { return }
        let fixture = try IntakeFixture()
        let sender = try fixture.sender(item.vendor, item.event)
        let delivery = try sender.delivery(0..<1, at: .now())
        let tolerance = Int64(item.vendor.traits.toleranceSeconds) * 1000
        for skew in [-tolerance - 60_000, tolerance + 60_000] {
            let moment = Timestamp(milliseconds: Timestamp.now().milliseconds + skew)
            let headers = sender.headers(for: delivery, url: fixture.url(item.vendor), at: moment)
            let answer = try #require(fixture.post(item.vendor, delivery.body, headers))
            #expect(answer.status == 401)
            #expect(fixture.lastRefusal()?.code == "timestamp_out_of_tolerance")
            // To the second, and as much more or less as passed between signing and checking.
            let numbers = fixture.lastRefusal()?.detail.split { !$0.isNumber }.compactMap { Int64($0) } ?? []
            let expected = tolerance / 1000 + 60
            #expect(numbers.contains { abs($0 - expected) <= 30 })
        }
    }

    @Test("acknowledges a duplicate only once its original is durable, and keeps it once", arguments: Catalogued.each)
    func duplicate(_ item: Catalogued) throws {
        let fixture = try IntakeFixture()
        let sender = try fixture.sender(item.vendor, item.event)
        let delivery = try sender.delivery(0..<1, at: .now())
        let url = fixture.url(item.vendor)
        let answers = Answers()
        fixture.log.close()
        for _ in 0..<2 {
            var request = HTTPClientRequest(method: "POST", url: url)
            request.headers = sender.headers(for: delivery, url: url, at: .now())
            request.body = delivery.body
            fixture.client.send(request) { answers.add(try? $0.get().status) }
        }
        #expect(fixture.waitUntil { fixture.log.seen >= 2 })
        #expect(answers.all.isEmpty)
        fixture.log.open()
        #expect(fixture.waitUntil { answers.all.count == 2 })
        #expect(answers.all == [200, 200])
        #expect(fixture.log.records.count == 1)
    }

    @Test("answers 503 with Retry-After when the log cannot keep it", arguments: Catalogued.each)
    func unavailable(_ item: Catalogued) throws {
        let fixture = try IntakeFixture()
        fixture.log.fail(.init(.unavailable, "the disk is full", retryAfterSeconds: 3))
        let body = Array(item.vendor.traits.batches ? "[\(item.event.sample)]".utf8 : item.event.sample.utf8)
        let answer = try #require(fixture.postSigned(item.vendor, body))
        #expect(answer.status == 503)
        #expect(answer.headers["Retry-After"] == "3")
        #expect(fixture.lastRefusal()?.code == "log_unavailable")
    }

    @Test(
        "refuses what is not one JSON value",
        arguments: Catalogued.each,
        ["", "{", "{\"a\":1}}", "{\"a\":1,\"a\":2}", "nope", "{\"a\":\"\u{1}\"}", String(repeating: "[", count: 2000)])
    func malformed(_ item: Catalogued, body: String) throws {
        if item.vendor.traits.batches, body.hasPrefix("[") { return }
        let fixture = try IntakeFixture()
        let answer = try #require(fixture.postSigned(item.vendor, Array(body.utf8)))
        #expect(answer.status == 400)
        #expect(fixture.lastRefusal()?.code == "malformed_json")
        #expect(fixture.log.records.isEmpty)
    }

    @Test("refuses a body beyond the source's limit, announced or not", arguments: Catalogued.each)
    func tooLarge(_ item: Catalogued) throws {
        let fixture = try IntakeFixture { $0.maximumBody = 1000 }
        let answer = try #require(fixture.postSigned(item.vendor, [UInt8](repeating: 0x20, count: 1001)))
        #expect(answer.status == 413)
        #expect(fixture.lastRefusal()?.code == "too_large")
    }

    @Test(
        "keeps whatever a visitor typed", arguments: Catalogued.each,
        [
            #"\ud800 cut emoji"#, #"\u0000\u001b[31m"#, #"line\r\nbreak"#, #"</script><script>"#, #"\u202eright"#, "😀",
            String(repeating: "x", count: 65_536),
        ])
    func hostile(_ item: Catalogued, text: String) throws {
        guard
            let name = ["/visitor/name", "/data/firstName", "/payload/attributes/full-name", "/guest/name"].first(
                where: { pointer in
                    let tape = try? JSONParser().parse(Array(item.event.sample.utf8))
                    return (try? JSONPointer(pointer)).flatMap { tape?.value(at: $0) } != nil
                })
        else { return }
        let fixture = try IntakeFixture()
        let sender = try fixture.sender(item.vendor, item.event, set: [(name, "\"\(text)\"")])
        let delivery = try sender.delivery(0..<1, at: .now())
        #expect(fixture.postSigned(item.vendor, delivery.body)?.status == 200)
        let kept = try JSONParser().parse(try #require(fixture.log.records.first).payload)
        #expect(EventView(kept) != nil)
    }
}

/// The statuses of answers, as they come.
private final class Answers: Sendable {
    private let statuses = Mutex<[Int?]>([])

    var all: [Int?] { statuses.withLock { $0 } }
    func add(_ status: Int?) { statuses.withLock { $0.append(status) } }
}
