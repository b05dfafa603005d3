import Events
import Testing

@testable import Targets

@Suite("Every format")
struct FormatConformanceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var format: any EventFormat
        var type: CanonicalType
        var testDescription: String { "\(format.name) of \(type.rawValue)" }
    }

    static let cases = Formats.all.flatMap { format in CanonicalType.allCases.map { Case(format: format, type: $0) } }

    private let options = RenderingOptions(
        policy: ContentPolicy(includesOriginal: true, includesBiometrics: false), hostname: "gate")

    @Test("has a name of its own")
    func names() {
        #expect(Set(Formats.all.map(\.name)).count == Formats.all.count)
        for format in Formats.all { #expect(Formats.named(format.name)?.name == format.name) }
    }

    @Test("writes one line that begins as it says, for every type", arguments: cases)
    func oneLine(test: Case) throws {
        for text in Hostile.texts where text.utf8.count < 2000 || test.type == .visitorSignin {
            let event = try Sample.event(
                test.type.rawValue, name: text, replacing: ["additional": "{\(quoted(text)):\(quoted(text))}"],
                original: "{\n\"name\": \(quoted(text))\r\n}")
            let line = try test.format.render(Sample.outgoing(event), options)
            #expect(line.starts(with: test.format.lineOpening.utf8))
            #expect(!line.contains { $0 == 0x0A || $0 == 0x0D || $0 == 0 })
            #expect(String(validating: line, as: UTF8.self) != nil)
        }
    }

    @Test("writes one line of every sample of every sender", arguments: FormatSample.ofSenders)
    func samples(sample: FormatSample) throws {
        for format in Formats.all {
            let line = try format.render(Sample.outgoing(sample.event), options)
            #expect(line.starts(with: format.lineOpening.utf8))
            #expect(!line.contains { $0 == 0x0A || $0 == 0x0D || $0 == 0 })
        }
    }

    @Test("has samples of every sender and type")
    func coverage() {
        #expect(FormatSample.ofSenders.count > 40)
        #expect(FormatSample.ofTypes.count == CanonicalType.allCases.count)
    }

    /// The sender's payload is not ours to shorten.
    @Test(
        "keeps a limit, whatever visitors typed",
        arguments: cases.filter { $0.type == .visitorSignin && !$0.format.isSendersOwn })
    func limits(test: Case) throws {
        for text in Hostile.texts {
            let event = try Sample.event(
                name: text, replacing: ["additional": "{\(quoted(text)):\(quoted(text)),\"x\":[\(quoted(text))]}"])
            for limit in test.format.name == "json" ? [684, 1000, 1024, 4096, 8000] : [684, 8000] {
                var options = options
                options.limit = limit
                let line = try test.format.render(Sample.outgoing(event), options)
                #expect(line.count <= limit)
                #expect(String(validating: line, as: UTF8.self) != nil)
            }
        }
    }

    @Test("of the sender's payload refuses a limit it does not keep, and an event without one")
    func original() throws {
        let format = OriginalFormat()
        var options = options
        options.limit = 20
        #expect(throws: RenderingError.self) { try format.render(Sample.outgoing(Sample.event()), options) }
        options.limit = nil
        #expect(throws: RenderingError.self) {
            try format.render(Sample.outgoing(Sample.event(original: nil)), options)
        }
        options.policy.includesOriginal = false
        #expect(throws: RenderingError.self) { try format.render(Sample.outgoing(Sample.event()), options) }
    }
}
