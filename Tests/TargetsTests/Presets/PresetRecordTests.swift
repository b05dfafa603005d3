import Events
import HTTPClient
import HTTPTypes
import JSON
import TestSupport
import Testing

@testable import Targets

@Suite("Presets of CRMs") struct PresetRecordTests {
    private func service(_ preset: String) throws -> any DocumentedService {
        try #require(DocumentedServices.named(preset))
    }

    /// A visitor with an e-mail address, of whom an event says what it says.
    private func visit(_ number: Int, email: String, _ more: String) throws -> OutgoingEvent {
        let visitor = #"{"id":"v\#(number)","name":"John Smith","email":"\#(email)",\#(more)}"#
        let id = Sample.id.dropLast(1) + "\(number)"
        return Sample.outgoing(try Sample.event(id: String(id), replacing: ["visitor": visitor]))
    }

    /// The records of the only request, as they were sent.
    private func records(_ keys: String, _ events: [OutgoingEvent], at key: String) throws -> [[String: Any]] {
        let blueprint = try #require(try decode(keys).blueprint as? HTTPBlueprint)
        let request = try blueprint.render(
            events, headers: blueprint.request.headers(contentType: nil), timestampSeconds: 0)
        return try #require(try JSONTape.object(request.body)[key] as? [[String: Any]])
    }

    @Test(
        "what one visitor did goes to a CRM as one record, which may stand in a request once",
        arguments: [("hubspot", "inputs"), ("salesforce", "records")])
    func merged(preset: String, list: String) async throws {
        let standIn = ServiceStandIn(try service(preset))
        let keys = standIn.configuration().replacing(", id: id", with: "")
        let events = [
            try visit(1, email: "Ann@x.example", #""first_name":"Ann","last_name":"Smith","phone":"+44 1""#),
            try visit(2, email: "bob@x.example", #""first_name":"Bob","last_name":"Jones""#),
            try visit(3, email: " ann@x.example", #""first_name":"Anna","last_name":"Smith""#),
        ]
        let target = try #require(try decode(keys).blueprint).make(testContext())
        switch await target.send(events) {
        case .all(let outcome): #expect(outcome.receipt != nil)
        case .each(let outcomes): #expect(outcomes.count == 3 && outcomes.allSatisfy { $0.receipt != nil })
        }
        #expect(standIn.complaints == [] && standIn.taken.count == 2 && standIn.requestCount == 1)
        let records = try records(keys, events, at: list)
        #expect(records.count == 2)
        let ann = try preset == "hubspot" ? records[0].object("properties") : records[0]
        func value(_ names: String...) -> String? { names.compactMap { ann[$0] as? String }.first }
        #expect(value("firstname", "FirstName") == "Anna" && value("phone", "Phone") == "+44 1")
        #expect(value("email", "Email") == "ann@x.example")
    }

    @Test(
        "a CRM is told no name that nobody gave",
        arguments: [
            (#""name":"Ann Mary Smith""#, "Ann Mary", "Smith"), (#""name":"Cher""#, nil, "Cher"),
            (#""name":"Ann van Gogh","first_name":"Ann","last_name":"van Gogh""#, "Ann", "van Gogh"),
            (#""name":" ""#, nil, nil), (#""phone":"+44 1""#, nil, nil),
        ] as [(String, String?, String?)])
    func names(visitor: String, first: String?, last: String?) throws {
        let view = try Sample.event(replacing: ["visitor": #"{"email":"ann@x.example",\#(visitor)}"#])
        for (preset, list) in [("hubspot", "inputs"), ("salesforce", "records")] {
            let record = try records(
                ServiceStandIn(try service(preset)).configuration(), [Sample.outgoing(view)], at: list)[0]
            let fields = try preset == "hubspot" ? record.object("properties") : record
            #expect(fields["firstname"] as? String ?? fields["FirstName"] as? String == first, "\(preset)")
            #expect(fields["lastname"] as? String ?? fields["LastName"] as? String == last, "\(preset)")
        }
        let keys = ServiceStandIn(try service("dynamics")).configuration()
        let blueprint = try #require(try decode(keys).blueprint as? HTTPBlueprint)
        let row = try JSONTape.object(
            blueprint.render([Sample.outgoing(view)], headers: HeaderFields(), timestampSeconds: 0).body)
        #expect(row["firstname"] as? String == first && row["lastname"] as? String == last)
    }

    @Test(
        "a key that Dataverse does not support is that event's fault, and nothing is asked",
        arguments: ["john+visit@x.example", "a/b@x.example", "a&b@x.example", "50%@x.example"])
    func unsupportedKey(email: String) async throws {
        let standIn = ServiceStandIn(try service("dynamics"))
        let keys = standIn.configuration().replacing(", id: id", with: "")
        let target = try #require(try decode(keys).blueprint).make(testContext())
        let refused = await target.send(try visit(1, email: email, #""last_name":"Smith""#))
        #expect(refused.failure?.code == "rendering" && refused.failure?.blame == .event)
        let taken = await target.send(try visit(2, email: "o'neil_x@x.example", #""last_name":"O'Neil""#))
        #expect(taken.receipt != nil && standIn.complaints == [])
        #expect(standIn.taken == ["o'neil_x@x.example": 1] && standIn.requestCount == 1)
    }
}
