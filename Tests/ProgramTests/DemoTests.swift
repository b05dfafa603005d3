import Foundation
import Testing

extension ProgramTests {
    @Suite("demo") struct DemoTests {
        @Test("sends every event of every vendor, and ends by itself with books that balance")
        func balances() async throws {
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let example = root.appending(path: "deploy/gatehouse.yaml").path
            let installation = try Installation("")
            let outcome = try await installation.gatehouse("demo", "-c", example, "--pause", "0")
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.lines.last == "  balanced: sent = accepted = delivered + filtered")
            for vendor in ["signinapp", "sine", "netgraph", "alocity", "envoy"] {
                #expect(outcome.output.contains("POST \(vendor) "), "\(vendor)")
            }
            #expect(outcome.output.contains("[signature verified]"))
            #expect(!outcome.output.contains("SIGNATURE REFUSED"))
            #expect(outcome.output.contains("401"))
            #expect(!outcome.output.contains("\u{1b}["), "colours belong on a terminal only")
        }
    }
}
