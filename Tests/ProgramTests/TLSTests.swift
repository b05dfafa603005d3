import Foundation
import Glibc
import TestSupport
import Testing

extension ProgramTests {
    @Suite("TLS at the intake") struct TLSTests {
        @Test("takes signed events, and a new certificate while it runs")
        func liveCertificate() async throws {
            let (first, second) = (try LocalAuthority(), try LocalAuthority())
            let installation = try Installation(
                """
                listen: {address: "127.0.0.1:0", tls: {cert: ./intake.pem, key: ./intake.key}}
                console: "127.0.0.1:0"
                \(Sender.configuration)
                """)
            try install(first, in: installation)
            let service = try await installation.start()
            #expect(try await post("one", installation, service, trusting: first) == "200")
            #expect(try await post("two", installation, service, trusting: second) == "000")
            try install(second, in: installation)
            let isChanged = try await eventually {
                try await post("three", installation, service, trusting: second) == "200"
            }
            #expect(isChanged, "\(service.process.errors)")
            #expect(try await post("four", installation, service, trusting: first) == "000")
            #expect(Set(try await installation.events().compactMap { $0["id"] as? String }).count == 2)
            #expect(await service.stop() == .exited(0))
        }

        private func install(_ authority: LocalAuthority, in installation: Installation) throws {
            let identity = try authority.issue(["IP:127.0.0.1"])
            for (name, file) in [("intake.key", identity.keyFile), ("intake.pem", identity.certFile)] {
                try installation.write(name, try String(contentsOfFile: file, encoding: .utf8))
            }
        }

        /// By curl; the status, `000` when there was no answer.
        private func post(
            _ key: String, _ installation: Installation, _ service: Service, trusting authority: LocalAuthority
        ) async throws -> String {
            let event = Sender.signinapp.event(key)
            try installation.write("body", event.body)
            let url = "https://127.0.0.1:\(service.intakePort)\(event.path)"
            let (body, caFile) = (installation.path("body"), authority.caFile)
            return try await blocking {
                var arguments = [
                    "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", caFile, "--data-binary", "@\(body)",
                ]
                for (name, value) in event.headers { arguments += ["-H", "\(name): \(value)"] }
                return try TestSupport.run("curl", arguments + [url]).output
            }
        }
    }
}
