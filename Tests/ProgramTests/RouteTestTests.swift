import Foundation
import Testing

extension ProgramTests {
    @Suite("test") struct RouteTestTests {
        private static let targets = """
              siem: {type: file, path: ./siem}
              crm: {type: file, path: ./crm}
            """
        private static let routes = """
              - {name: signins, when: {event: visitor.signin}, to: siem}
              - {name: contractors, when: {condition: contractors}, to: [siem, crm]}
              - {name: staff, when: {group: Staff}, to: crm}
            conditions:
              contractors: {group: Contractor}
              nobody: {group: Nobody}
            tests:

            """

        private func installation(_ tests: String) throws -> Installation {
            try Installation(targets: Self.targets, routes: Self.routes + tests)
        }

        private static let right = """
              - name: a contractor goes to both
                given: {sample: signinapp/visitor.signin, set: {additional: {NDA signed: ""}}}
                to: [siem, crm]
              - name: a payload is read as its source reads it
                given: {source: lobby, payload: {event: entry_sign_out}}
                to: []
              - name: an event by itself
                given: {event: {type: visitor.signin, data: {group: {name: Staff}}}}
                routes: [signins, staff]
            """

        @Test("runs every test without any secret, and ends with 0 when all hold")
        func passing() async throws {
            let installation = try installation(Self.right)
            let outcome = try await installation.gatehouse("test", environment: [:])
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output == "3 tests passed\n", "\(outcome)")
        }

        @Test("shows what differs and where, and ends with 1 when a test does not hold")
        func failing() async throws {
            let installation = try installation(
                Self.right + """

                      - name: goes nowhere
                        given: {sample: sine/signin_after}
                        to: crm
                    """)
            let outcome = try await installation.gatehouse("test")
            #expect(outcome.status == 1, "\(outcome)")
            let lines = outcome.output.split(separator: "\n").map(String.init)
            #expect(lines.first?.contains("routes.yaml:18:5: failed: goes nowhere") == true, "\(outcome)")
            #expect(lines.contains("    expected targets: crm; found: siem"), "\(outcome)")
            #expect(lines.contains { $0.contains("does not take it: ") && $0.contains("Staff") }, "\(outcome)")
            #expect(lines.last == "1 of 4 tests failed", "\(outcome)")
        }

        @Test("names the routes and conditions that no test exercises")
        func coverage() async throws {
            let installation = try installation(
                "  - {name: a, given: {sample: signinapp/visitor.signin}, to: [siem, crm]}\n")
            let outcome = try await installation.gatehouse("test", "--coverage")
            #expect(outcome.status == 0, "\(outcome)")
            #expect(
                outcome.output.contains("routes.yaml:4:5: no test's event is taken by the route staff"), "\(outcome)")
            #expect(outcome.output.contains("covered: 2 of 3 routes, 1 of 1 named conditions"), "\(outcome)")
        }

        @Test("writes JUnit XML that another program reads")
        func junit() async throws {
            let installation = try installation(
                "  - {name: \"<&>\\\"'\", given: {sample: sine/signin_after}, to: []}\n")
            let outcome = try await installation.gatehouse("test", "--junit", "report.xml")
            #expect(outcome.status == 1)
            let text = installation.read("report.xml")
            #expect(text.contains("<testcase name=\"&lt;&amp;&gt;&quot;&apos;\""), "\(text)")
            #expect(text.contains("tests=\"1\" failures=\"1\" errors=\"0\""), "\(text)")
            let missing = try await installation.gatehouse("test", "--junit", "nowhere/report.xml")
            #expect(missing.status == 1 && missing.errors.contains("cannot write nowhere/report.xml"), "\(missing)")
        }

        @Test("prints one JSON object a test, and the count")
        func json() async throws {
            let installation = try installation(Self.right)
            let objects = try await installation.gatehouse("test", "--json", "--coverage").objects
            #expect(objects.count == 5)
            #expect(objects[0]["name"] as? String == "a contractor goes to both")
            #expect(objects[0]["passed"] as? Bool == true)
            #expect(objects[0]["targets"] as? [String] == ["siem", "crm"])
            #expect(objects[0]["routes"] as? [String] == ["signins", "contractors"])
            #expect(objects[0]["line"] as? Int == 9)
            #expect((objects[3]["uncovered_routes"] as? [Any])?.isEmpty == true)
            #expect(objects[4]["tests"] as? Int == 3 && objects[4]["failed"] as? Int == 0)
        }

        @Test("ends with 78 when the files do not load")
        func broken() async throws {
            let installation = try installation(
                "  - {name: a, given: {sample: signinapp/visitor.signin}, to: nowhere}\n")
            let outcome = try await installation.gatehouse("test")
            #expect(outcome.status == 78, "\(outcome)")
            #expect(outcome.errors.contains("nowhere"), "\(outcome)")
        }
    }
}
