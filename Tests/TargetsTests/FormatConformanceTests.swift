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

    @Test("keeps a limit, whatever visitors typed", arguments: cases.filter { $0.type == .visitorSignin })
    func limits(test: Case) throws {
        for text in Hostile.texts {
            let event = try Sample.event(
                name: text, replacing: ["additional": "{\(quoted(text)):\(quoted(text)),\"x\":[\(quoted(text))]}"])
            for limit in [684, 1000, 1024, 4096, 8000] {
                var options = options
                options.limit = limit
                let line = try test.format.render(Sample.outgoing(event), options)
                #expect(line.count <= limit)
                #expect(String(validating: line, as: UTF8.self) != nil)
            }
        }
    }
}
