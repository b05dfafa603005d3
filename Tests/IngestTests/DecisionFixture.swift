import EventLog
import Events
import Foundation
import HTTPClient
import HTTPTypes
import JSON
import Rules
import Synchronization
import Testing
import Vendors
import YAML

@testable import Ingest

/// A plan of decisions, which must be read without a complaint.
func decisionPlan(_ text: String) throws -> DecisionPlan {
    let environment = RuleEnvironment(
        sources: ["from-sine", "from-envoy"], vendors: Vendors.all.map(\.name), siteKeys: [], targets: ["access"])
    let files = RuleLoader.read([], environment: environment, decisions: ("d.yaml", Array(text.utf8)))
    try #require(files.diagnostics.isEmpty, "\(files.diagnostics)")
    return try DecisionPlan(files.decisions, fallback: files.fallback ?? .deny)
}

/// Visitors are told apart by their company, whom the samples of both senders can name.
let decisionExample = """
    decisions:
      - {name: banned, when: {personal: {never: x}}, deny: "No"}
      - {name: contractors, when: {visitor: {last_name: Deny}}, deny: "Not today, {visitor.first_name}"}
      - {name: contractors-of-envoy, when: {visitor: {name: Pat Deny}}, deny: "Not today, Pat"}
      - {name: guests, when: {any: [{visitor: {last_name: Admit}}, {visitor: {name: Pat Admit}}]}, admit: {visitor_notes: "Hello", admin_notes: "A guest"}}
      - {name: watched, when: {any: [{visitor: {last_name: Review}}, {visitor: {name: Pat Review}}]}, review: "Wait here"}
      - {name: asked, when: {any: [{visitor: {last_name: Ask}}, {visitor: {name: Pat Ask}}]}, ask: {target: access, on_failure: {deny: "Nobody knows"}}}
      - {name: timeless, when: {any: [{visitor: {last_name: Odd}}, {visitor: {name: Pat Odd}}], time: {within: {days: mon-sun}}, site: {timezone: {is: absent}}}, admit: {}}

    """

/// Answers by a closure, on the thread that asks.
final class ScriptedAsker: DecisionAsker {
    typealias Completion = @Sendable (Result<[UInt8], AskFailure>) -> Void

    let asked = Mutex<[(target: String, payload: [UInt8])]>([])
    private let answer: @Sendable (@escaping Completion) -> Void

    init(_ answer: @escaping @Sendable (@escaping Completion) -> Void) {
        self.answer = answer
    }

    convenience init(answering text: String) {
        self.init { $0(.success(Array(text.utf8))) }
    }

    func ask(
        _ target: String, about event: EncodedEvent, within time: Duration,
        completion: @escaping @Sendable (Result<[UInt8], AskFailure>) -> Void
    ) {
        asked.withLock { $0.append((target, event.payload)) }
        answer(completion)
    }
}

extension IntakeFixture {
    static let deciding = ["sine", "envoy"]

    /// A waiting request of a visitor of that last name, signed and posted.
    /// - Parameter attempt: requests of different attempts are different.
    func ask(_ vendor: String, _ name: String, attempt: Int = 0) throws -> HTTPClientResponse? {
        try postSigned(#require(Vendors.named(vendor)), Array(Self.request(vendor, name, attempt).utf8))
    }

    static func request(_ vendor: String, _ name: String, _ attempt: Int) -> String {
        vendor == "sine"
            ? """
            {"event":"signin_before","date":"2024-07-30T01:43:\(10 + attempt)Z","data":{"firstName":"Pat","lastName":"\(name)"}}
            """
            : """
            {"meta":{"event":"entry_sign_in","job":{"id":"job-\(name)-\(attempt)"}},"payload":{"id":"1","type":"entries","attributes":{"full-name":"Pat \(name)"}}}
            """
    }

    /// The events kept, as the rules and targets see them.
    func events() throws -> [EventView] {
        try log.records.map { try #require(EventView(try JSONParser().parse($0.payload))) }
    }
}

/// The status and body of an answer, as one text.
func shown(_ response: HTTPClientResponse?) -> String {
    response.map { "\($0.status) \(String(decoding: $0.body, as: UTF8.self))" } ?? "none"
}
