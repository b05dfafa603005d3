import Delivery
import Foundation
import JSON
import Testing

@testable import Console

@Suite("The page of the API") struct APIPageTests {
    @Test("lists every resource, who it is for, and what it gives")
    func resources() throws {
        let rows = try Page("docs/api.md").table("Resources", "path", "method", "for", "gives").rows
        let expected = APIResources.all.map { resource in
            [
                "`\(resource.path)`", resource.method, Self.callers(of: resource), resource.summary,
            ]
        }
        #expect(rows == expected)
    }

    private static func callers(of resource: APIResource) -> String {
        guard resource.isForTeams else { return resource.role.rawValue }
        return resource.role == .viewer ? "teams" : "\(resource.role.rawValue), teams"
    }

    @Test("lists the roles")
    func roles() throws {
        let rows = try Page("docs/api.md").table("Who may ask", "role").rows
        #expect(rows.map { $0[0].code } == APIRole.allCases.map(\.rawValue))
    }

    @Test("lists every code that is in the program's text, and no other")
    func codes() throws {
        let rows = try Page("docs/api.md").table("Errors", "status", "code").rows
        let text = try ["API/APIProblem.swift", "OperatorDesk.swift"].map {
            try Project.text("Sources/Console/" + $0)
        }.joined()
        var expected: Set<String> = []
        for match in text.matches(of: /APIProblem\(\s*(\d{3}), "([a-z_]+)"/) {
            expected.insert("\(match.1) \(match.2)")
        }
        for match in text.matches(of: /challenge\(\s*"([a-z_]+)"/) { expected.insert("401 \(match.1)") }
        for match in text.matches(of: /status: (\d{3}), code: "([a-z_]+)"/) { expected.insert("\(match.1) \(match.2)") }
        #expect(Set(rows.map { "\($0[0]) \($0[1].code)" }) == expected)
    }

    @Test("gives the limits of the code")
    func limits() throws {
        let rows = try Page("docs/security.md").table("Limits", "what", "limit").rows
        let expected = [
            "wrong tokens of an address": "\(GuessLimit.guesses), then one in \(GuessLimit.secondsPerGuess) s",
            "addresses remembered for wrong tokens": "\(GuessLimit.addresses)",
            "requests of the API that wait to be looked up": "\(APIHandler.maximumWaiting)",
            "requests of the API that wait for events": "\(TailHub.maximumWaiters)",
            "items of a page of the API": "\(APIParameter.pageLimit.upperBound)",
            "events of a page of the API": "\(RecordPager.pageBytes >> 20) MiB",
            "events looked at for a page of the API": "\(RecordPager.scanning / 1000) 000",
            "audit log": "the newest \(DeliveryStore.maximumAuditEntries / 1000) 000",
        ]
        for (what, limit) in expected {
            #expect(rows.first { $0[0] == what }?[1] == limit, "\(what)")
        }
    }
}
