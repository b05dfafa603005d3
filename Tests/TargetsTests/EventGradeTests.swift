import Events
import Testing

@testable import Targets

@Suite("The severity of an event")
struct EventGradeTests {
    @Test(
        "is that of the table",
        arguments: [
            (CanonicalType.visitorSignin, 6, 3), (.visitorSignout, 6, 3), (.configurationAudited, 5, 4),
            (.visitorRejected, 4, 6), (.visitorWatchlistReview, 2, 9), (.visitorWatchlistDenied, 2, 9), (.other, 6, 3),
        ])
    func table(type: CanonicalType, syslog: Int, cef: Int) {
        #expect(type.description.grade.syslogSeverity == syslog)
        #expect(type.description.grade.cefSeverity == cef)
    }

    @Test("and its words are there for every canonical type", arguments: CanonicalType.allCases)
    func complete(type: CanonicalType) {
        let description = EventDescription(type: type.rawValue)
        #expect(!description.name.isEmpty)
        #expect(description.action.allSatisfy { $0.isLetter })
        #expect([nil, "success", "failure"].contains(description.outcome))
        #expect(description.name == type.description.name)
    }

    @Test("of a type nobody knows is that of `other`")
    func unknown() {
        #expect(EventDescription(type: "visitor.vanished").name == CanonicalType.other.description.name)
    }
}
