import Cryptography
import Events
import HTTPTypes
import JSON
import Signatures
import Testing
import Vendors

struct SampleCase: Sendable, CustomTestStringConvertible {
    let vendor: any Vendor
    let event: VendorEvent

    var testDescription: String { "\(vendor.name) \(event.name)" }

    static let all: [SampleCase] = Vendors.all.flatMap { vendor in
        vendor.events.map { SampleCase(vendor: vendor, event: $0) }
    }
}

/// What every sender's decoder must do with every event of its catalogue.
@Suite struct VendorConformanceTests {
    @Test("the senders have the names people write in their files")
    func names() {
        #expect(Vendors.all.map(\.name).sorted() == ["alocity", "envoy", "generic", "netgraph", "signinapp", "sine"])
        for vendor in Vendors.all { #expect(Vendors.named(vendor.name)?.name == vendor.name) }
        #expect(Vendors.named("sign-in-app") == nil)
    }

    @Test("a sample decodes to its event's type, by its name and by its aliases", arguments: SampleCase.all)
    func types(_ sample: SampleCase) throws {
        let decoded = try Decoded(Array(sample.event.sample.utf8), vendor: sample.vendor)
        #expect(decoded.event.type == sample.event.type)
        #expect(decoded.text(.vendor) == sample.vendor.name)
        #expect(decoded.text(.source) == "lobby")
        #expect(decoded.text(.receivedAt) == Decoded.receivedAt.text)
        guard sample.vendor.name != "generic" else { return }
        #expect(decoded.text(.vendorEvent) == sample.event.name)
        for alias in sample.event.aliases {
            let renamed = sample.event.sample.replacing(#""\#(sample.event.name)""#, with: #""\#(alias)""#)
            let other = try Decoded(Array(renamed.utf8), vendor: sample.vendor)
            #expect(other.event.type == sample.event.type)
            #expect(other.text(.vendorEvent) == alias)
        }
    }

    @Test("a sample is one line of JSON that names nobody real", arguments: SampleCase.all)
    func samples(_ sample: SampleCase) throws {
        #expect(!sample.event.sample.contains("\n"))
        for address in sample.event.sample.split(whereSeparator: { " \",:{}[]".contains($0) })
        where address.contains("@") {
            #expect(address.hasSuffix("@example.com"))
        }
    }

    @Test("a sample's time is found where the sender gives one", arguments: SampleCase.all)
    func times(_ sample: SampleCase) throws {
        guard sample.vendor.name != "generic" else { return }
        let decoded = try Decoded(Array(sample.event.sample.utf8), vendor: sample.vendor)
        #expect((decoded.draft.time == nil) == sample.event.times.isEmpty)
        #expect((decoded.text(.timeInferred) == "true") == sample.event.times.isEmpty)
        for pointer in sample.event.times {
            let found = try #require(decoded.tape.value(at: JSONPointer(pointer)), "\(pointer)")
            #expect(decoded.tape.kind(found) == .null || EventDraft.time(decoded.tape, found) != nil)
        }
    }

    @Test(
        "the same event has the same id, and an event with other identifiers or time another", arguments: SampleCase.all
    )
    func identity(_ sample: SampleCase) throws {
        let first = try Decoded(Array(sample.event.sample.utf8), vendor: sample.vendor)
        #expect(try Decoded(Array(sample.event.sample.utf8), vendor: sample.vendor).event.id == first.event.id)
        let pointers = sample.event.identifiers + sample.event.times
        #expect(!pointers.isEmpty)
        var changed = first.tape.bytes
        for pointer in pointers {
            let place = try #require(first.tape.value(at: JSONPointer(pointer)), "\(pointer)")
            let span = first.tape.span(place)
            // The last digit or letter becomes another of its kind, so that ids and times keep their form.
            if let last = changed[span].lastIndex(where: { (0x30...0x38).contains($0) || (0x61...0x65).contains($0) }) {
                changed[last] += 1
            }
        }
        #expect(try Decoded(changed, vendor: sample.vendor).event.id != first.event.id)
    }

    @Test("the source's own name for an event decides what it is", arguments: SampleCase.all)
    func aliasesOfTheSource(_ sample: SampleCase) throws {
        var settings = DecodeSettings(source: "lobby")
        settings.events = [sample.event.name: .visitorApprovalPending]
        if sample.vendor.name == "generic" { settings.map.event = [try JSONPointer("/type")] }
        let decoded = try Decoded(Array(sample.event.sample.utf8), vendor: sample.vendor, settings: settings)
        #expect(decoded.event.type == .visitorApprovalPending)
    }

    @Test(
        "an event nobody documented is kept as other, under the sender's name for it",
        arguments: Vendors.all.map(\.name))
    func unknownEvents(_ name: String) throws {
        let payload =
            #"{"event":"tea.served","type":"tea.served","EventCode":"tea.served","meta":{"event":"tea.served"}}"#
        let decoded = try Decoded(payload, vendor: name)
        #expect(decoded.event.type == .other)
        #expect(decoded.text(.vendorEvent) == (name == "generic" ? nil : "tea.served"))
        #expect(decoded.original == payload)
    }

    @Test(
        "any JSON at all becomes an event",
        arguments: Vendors.all.map(\.name),
        [
            "null", "true", "0", "1e400", "\"text\"", "[]", "[1,2]", "{}", #"{"":{}}"#, "[[[[]]]]",
            #"{"event":{},"data":[],"payload":"x","Payload":[{"template":1}],"visitor":[],"site":3,"meta":[]}"#,
        ])
    func anything(_ name: String, _ payload: String) throws {
        let decoded = try Decoded(payload, vendor: name)
        #expect(decoded.event.type == .other)
        #expect(decoded.text(.timeInferred) == "true")
    }

    @Test("a member of any other type than expected does no harm", arguments: SampleCase.all)
    func mutations(_ sample: SampleCase) throws {
        let tape = try JSONParser().parse(Array(sample.event.sample.utf8))
        for span in Self.values(tape, tape.root) {
            for other in ["null", "-1.5", "true", #""\ud800\u0000<script>""#, "[{}]", "{\"id\":[]}"] {
                var payload = tape.bytes
                payload.replaceSubrange(span, with: Array(other.utf8))
                let decoded = try Decoded(payload, vendor: sample.vendor)
                #expect(decoded.event.partitionKey.count > 0)
            }
        }
    }

    /// The place of every value below this one.
    private static func values(_ tape: JSONTape, _ index: JSONIndex) -> [Range<Int>] {
        let children = tape.members(index).map(\.value) + Array(tape.elements(index))
        return [tape.span(index)] + children.flatMap { values(tape, $0) }
    }

    @Test("what a sender signs or carries is known, so that it can be simulated", arguments: Vendors.all.map(\.name))
    func authentication(_ name: String) throws {
        let vendor = try #require(Vendors.named(name))
        switch (name, vendor.traits.authentication) {
        case ("signinapp", .signature(let scheme)), ("alocity", .signature(let scheme)),
            ("envoy", .signature(let scheme)):
            #expect(scheme.name == name)
        case ("sine", .apiKey(let header)): #expect(header == "x-sine-auth")
        case ("netgraph", .headers), ("generic", .configured): break
        default: Issue.record("\(name) proves itself in an unexpected way")
        }
        #expect(vendor.traits.toleranceSeconds == (["signinapp", "alocity"].contains(name) ? 86_400 : 300))
        #expect(vendor.traits.maximumBody == (name == "netgraph" ? 64 << 20 : 1 << 20))
        #expect(vendor.traits.batches == (name == "netgraph"))
    }

    @Test("each sender is answered in its own dialect", arguments: Vendors.all.map(\.name))
    func answers(_ name: String) throws {
        let vendor = try #require(Vendors.named(name))
        let types: [CanonicalType?] = vendor.events.map(\.type) + [.other, nil]
        for type in types {
            let answer = vendor.acknowledgement(for: type)
            #expect(answer.status == 200)
            switch name {
            case "sine":
                #expect(String(decoding: answer.body, as: UTF8.self) == #"{"code":"SUCCESS"}"#)
                #expect(answer.headers["content-type"] == "application/json")
            case "envoy": #expect(String(decoding: answer.body, as: UTF8.self) == "{}")
            default: #expect(answer.body.isEmpty)
            }
        }
        #expect((vendor.validationAnswer != nil) == (name == "envoy"))
    }

    @Test("tries are as many as each sender makes")
    func retries() {
        let tries = Dictionary(
            uniqueKeysWithValues: Vendors.all.map { ($0.name, 1 + $0.traits.retryDelaysSeconds.count) })
        #expect(tries["signinapp"] == 4)
        #expect(tries["envoy"] == 6)
        #expect(tries["netgraph"] == 6)
        #expect(Netgraph().traits.retryDelaysSeconds == [120, 240, 480, 960, 1920])
    }
}
