import Foundation
import HTTPTypes
import TestSupport
import Testing

extension ProgramTests {
    @Suite("The address guard") struct AddressGuardTests {
        private static func installation(_ target: String, environment: [String: String] = [:]) throws -> Installation {
            try Installation(
                targets: "  partner: {\(target)}", routes: "  - {name: all, to: partner}", environment: environment)
        }

        @Test("asks no proxy of the environment")
        func proxies() async throws {
            let proxy = ScriptedServer { _ in HTTPResponse(status: 200) }
            let server = ScriptedServer { _ in HTTPResponse(status: 204) }
            let names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
            let environment = Dictionary(uniqueKeysWithValues: names.map { ($0, proxy.url()) })
            let installation = try Self.installation(
                "type: webhook, url: \"\(server.url())\", allow: [127.0.0.1/32]", environment: environment)
            let outcome = try await installation.gatehouse("targets", "test", "partner", "--json")
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try JSON.object(outcome.output)["status"] as? Int == 204)
            #expect(server.connectionCount == 1 && proxy.connectionCount == 0)
        }

        /// The system's look-up, made to give another answer every time: what an attacker's name server does.
        private static let names = """
            #define _GNU_SOURCE
            #include <arpa/inet.h>
            #include <dlfcn.h>
            #include <netdb.h>
            #include <stdatomic.h>
            #include <string.h>

            static atomic_int asked;

            int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **list) {
                int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
                    dlsym(RTLD_NEXT, "getaddrinfo");
                if (node == NULL || strcmp(node, "changing.example") != 0) return real(node, service, hints, list);
                return real(atomic_fetch_add(&asked, 1) == 0 ? "127.0.0.1" : "127.0.0.2", service, hints, list);
            }
            """

        @Test("looks at the address that every look-up gives, not at what the name meant before")
        func changingName() async throws {
            let receiver = ScriptedServer { _ in HTTPResponse(status: 200) }
            let folder = TemporaryDirectory()
            let source = try folder.write("names.c", Self.names)
            let (status, output) = try run(
                "cc", ["-shared", "-fPIC", "-O1", "-o", folder.file("names.so"), source, "-ldl"])
            #expect(status == 0, "\(output)")
            let installation = try Installation(
                targets: """
                      first: {type: webhook, url: "http://changing.example:\(receiver.port)/", allow: [127.0.0.1/32]}
                      second: {type: syslog, address: "udp://changing.example:9", allow: [127.0.0.1/32]}
                    """, routes: "  - {name: all, to: [first, second]}",
                environment: ["LD_PRELOAD": folder.file("names.so")])
            let service = try await installation.start()
            let first = try await installation.gatehouse("targets", "test", "first", "--json")
            #expect(first.status == 0, "\(first)")
            let second = try await installation.gatehouse("targets", "test", "second", "--json")
            #expect(second.status == 1 && second.output.contains("address_refused"), "\(second)")
            #expect(second.output.contains("127.0.0.2"))
            #expect(await service.stop() == .exited(0))
        }
    }
}
