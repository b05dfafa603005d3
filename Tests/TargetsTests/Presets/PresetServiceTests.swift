import Events
import Foundation
import HTTPClient
import HTTPTypes
import JSON
import Synchronization
import TestSupport
import Testing

@testable import Targets

private enum ServiceCases {
    static let presets: [String] = DocumentedServices.all.map(\.preset)
    static let successes: [(String, Int)] = DocumentedServices.all.flatMap { service in
        service.successes.indices.map { (service.preset, $0) }
    }
    static let failures: [(String, String)] = DocumentedServices.all.flatMap { service in
        service.failures.map { (service.preset, $0.name) }
    }
    /// The most events and bytes of a request, before compression, and the most requests.
    static let limits: [(String, Int?, Int, String?)] = [
        ("splunk-hec", 500, 838_860_800, nil), ("elasticsearch", 1000, 100 << 20, nil),
        ("sentinel", 500, 1_000_000, "200/s"), ("datadog", 1000, 5_000_000, nil),
        ("hubspot", 100, 2 << 20, "190/10s"), ("salesforce", 200, 6 << 20, nil), ("dynamics", nil, 0, "20/s"),
        ("slack", nil, 0, "1/s"),
    ]
}

/// Each preset against a stand-in that checks what its service documents.
@Suite("Presets and their services")
struct PresetServiceTests {
    private func service(_ preset: String) throws -> any DocumentedService {
        try #require(DocumentedServices.named(preset))
    }

    private func target(_ standIn: ServiceStandIn, _ more: String = "") throws -> any Target {
        let (blueprint, messages) = try decode(standIn.configuration(more))
        #expect(messages == [])
        return try #require(blueprint).make(testContext())
    }

    /// Events with ids of their own, told apart by their last digits.
    static func events(_ count: Int, name: String = "John Smith") throws -> [OutgoingEvent] {
        try (0..<count).map { number in
            let digits = String(number)
            let id = Sample.id.dropLast(4) + String(repeating: "0", count: 4 - digits.count) + digits
            return Sample.outgoing(try Sample.event(id: String(id), name: name))
        }
    }

    static func id(_ outgoing: OutgoingEvent) -> String { outgoing.event.attribute("id") ?? "" }

    /// One by one where the preset has no batches.
    private func send(_ events: [OutgoingEvent], to standIn: ServiceStandIn, _ target: any Target) async throws
        -> [DeliveryOutcome]
    {
        let isBatch = try #require(try decode(standIn.configuration()).blueprint).settings.batch != nil
        var outcomes: [DeliveryOutcome] = []
        if isBatch {
            switch await target.send(events) {
            case .all(let outcome): outcomes = Array(repeating: outcome, count: events.count)
            case .each(let each): outcomes = each
            }
        } else {
            for event in events { outcomes.append(await target.send(event)) }
        }
        return outcomes
    }

    @Test("there is a stand-in for every preset that is shipped")
    func complete() {
        #expect(Set(ServiceCases.presets) == Set(PresetCatalogue.shipped.all.map(\.name)))
    }

    @Test("what a preset sends is as its service documents it, and taken once", arguments: ServiceCases.presets)
    func documented(preset: String) async throws {
        let standIn = ServiceStandIn(try service(preset))
        let target = try target(standIn)
        let events = try Self.events(5)
        let outcomes = try await send(events, to: standIn, target)
        #expect(outcomes.allSatisfy { $0.receipt != nil }, "\(outcomes.compactMap(\.failure))")
        #expect(standIn.complaints == [])
        #expect(standIn.taken == Dictionary(uniqueKeysWithValues: events.map { (Self.id($0), 1) }))
    }

    @Test("whatever a visitor typed, it is one record and a request as documented", arguments: ServiceCases.presets)
    func hostile(preset: String) async throws {
        let standIn = ServiceStandIn(try service(preset))
        let target = try target(standIn)
        for (number, name) in Hostile.texts.enumerated() {
            let event = try Sample.event(
                id: String(Sample.id.dropLast(2)) + (number < 10 ? "0\(number)" : "\(number)"), name: name)
            let outcomes = try await send([Sample.outgoing(event)], to: standIn, target)
            #expect(outcomes[0].receipt != nil, "\(number): \(outcomes)")
        }
        #expect(standIn.complaints == [])
        #expect(standIn.taken.count == Hostile.texts.count && standIn.taken.values.allSatisfy { $0 == 1 })
    }

    @Test(
        "every documented failure is blamed on whose fault it is, and what it did not take is taken once afterwards",
        arguments: ServiceCases.failures)
    func failures(preset: String, name: String) async throws {
        let service = try service(preset)
        let failure = try #require(service.failure(name))
        let standIn = ServiceStandIn(service)
        let target = try target(standIn)
        standIn.fail(failure)
        let events = try Self.events(1)
        let met = try #require(try await send(events, to: standIn, target).first?.failure)
        #expect(met.code == failure.code && met.blame.rawValue == failure.blame, "\(met.code) \(met.blame)")
        #expect(met.retryAfter == failure.retryAfter.map { .seconds($0) })
        #expect(standIn.taken.isEmpty)
        #expect(try await send(events, to: standIn, target).first?.receipt != nil)
        #expect(standIn.complaints == [] && standIn.taken == [Self.id(events[0]): 1])
    }

    @Test("what is said besides a success takes nothing from it", arguments: ServiceCases.successes)
    func successes(preset: String, place: Int) async throws {
        let service = try service(preset)
        let standIn = ServiceStandIn(service)
        standIn.succeed(service.successes[place])
        let outcomes = try await send(try Self.events(3), to: standIn, try target(standIn))
        #expect(outcomes.allSatisfy { $0.receipt != nil } && standIn.taken.count == 3 && standIn.requestCount == 1)
    }

    @Test("a full batch is no larger than what the service takes", arguments: ServiceCases.limits)
    func full(preset: String, events: Int?, bytes: Int, rate: String?) throws {
        guard events != nil else { return }
        let standIn = ServiceStandIn(try service(preset))
        let blueprint = try #require(try decode(standIn.configuration()).blueprint as? HTTPBlueprint)
        let batch = try #require(blueprint.request.settings.batch)
        let room = batch.maximumBytes / batch.maximumEvents
        let size = try Sample.event(original: nil).payload.count
        let filler = String(repeating: "x", count: max(0, room - size - 4))
        let full = try (0..<batch.maximumEvents).map { _ in
            Sample.outgoing(try Sample.event(replacing: ["additional": #"{"a":"\#(filler)"}"#], original: nil))
        }
        let request = try blueprint.render(
            full, headers: blueprint.request.headers(contentType: nil), timestampSeconds: 0)
        #expect(request.body.count <= bytes, "\(request.body.count)")
    }

    @Test(
        "each record of a request has its own outcome, where the service answers for each",
        arguments: ServiceCases.presets)
    func each(preset: String) async throws {
        let service = try service(preset)
        guard case .each = service.refusal else { return }
        let events = try Self.events(4)
        let ids = events.map(Self.id)
        let standIn = ServiceStandIn(service) { record, _ in
            switch record {
            case ids[0]: .taken
            case ids[1]: .known
            case ids[2]: .busy
            default: .refused
            }
        }
        let outcomes = try await send(events, to: standIn, try target(standIn))
        #expect(outcomes[0].receipt != nil && outcomes[1].receipt != nil)
        #expect(outcomes[2].failure?.code == "answer_retry" && outcomes[2].failure?.blame == .target)
        #expect(outcomes[3].failure?.code == "answer_refused" && outcomes[3].failure?.blame == .event)
        #expect(standIn.complaints == [] && standIn.taken == [ids[0]: 1])
    }

    @Test("an access token that ended is renewed once, and the request sent again", arguments: ServiceCases.presets)
    func tokens(preset: String) async throws {
        let service = try service(preset)
        guard service.tokens != nil else { return }
        let standIn = ServiceStandIn(service)
        let target = try target(standIn)
        #expect(try await send(try Self.events(1), to: standIn, target)[0].receipt != nil)
        standIn.forgetTokens()
        #expect(try await send(try Self.events(1), to: standIn, target)[0].receipt != nil)
        #expect(standIn.tokenRequests.count == 2 && standIn.requestCount == 3 && standIn.complaints == [])
    }

    @Test(
        "the most that a service takes at once is the most that its preset sends",
        arguments: ServiceCases.limits)
    func limits(preset: String, events: Int?, bytes: Int, rate: String?) throws {
        let standIn = ServiceStandIn(try service(preset))
        let keys = standIn.configuration().replacing(", rate: 1000/s", with: "")
        let settings = try #require(try decode(keys).blueprint).settings
        #expect(settings.rate == rate.flatMap { RateLimit($0) })
        let batch = (try decode(keys).blueprint as? HTTPBlueprint)?.request.settings.batch
        #expect((batch?.maximumEvents ?? 0) <= events ?? 0 && (batch == nil) == (events == nil))
        #expect(batch.map { $0.maximumBytes < bytes } ?? true)
    }

    @Test("Microsoft's services take a certificate's key in the place of a secret")
    func assertion() async throws {
        let folder = TemporaryDirectory()
        let made = try run(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=gate", "-keyout",
                folder.path + "/key.pem", "-out", folder.path + "/cert.pem",
            ])
        #expect(made.status == 0)
        let files = try ["KEY": "key.pem", "CERT": "cert.pem"].mapValues {
            try String(contentsOfFile: folder.path + "/" + $0, encoding: .utf8)
        }
        let standIn = ServiceStandIn(try service("sentinel"))
        let keys = standIn.configuration(#"private_key: "${env:KEY}", certificate: "${env:CERT}""#)
            .replacing(#"client_secret: "s3cret+/=&", "#, with: "")
        let (blueprint, messages) = try decode(keys, environment: files)
        #expect(messages == [])
        let target = try #require(blueprint).make(testContext())
        #expect(await target.send(try Self.events(1)).isDelivered)
        let form = Form(try #require(standIn.tokenRequests.first).body)
        #expect(form["client_secret"] == nil && form["client_id"] == "00aa-11bb")
        #expect(form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        let parts = try #require(form["client_assertion"]).split(separator: ".")
        #expect(parts.count == 3)
        func object(_ part: Substring) throws -> [String: Any] {
            var text = part.replacing("-", with: "+").replacing("_", with: "/")
            while !text.count.isMultiple(of: 4) { text += "=" }
            return try JSONTape.object(Array(try #require(Data(base64Encoded: String(text)))))
        }
        let (header, claims) = (try object(parts[0]), try object(parts[1]))
        #expect(header["alg"] as? String == "PS256" && (header["x5t#S256"] as? String)?.count == 43)
        #expect(claims["iss"] as? String == "00aa-11bb" && claims["sub"] as? String == "00aa-11bb")
        #expect(claims["aud"] as? String == standIn.origin + "/contoso/oauth2/v2.0/token")
        let (issued, ends) = (claims["iat"] as? Int ?? 0, claims["exp"] as? Int ?? 0)
        #expect(ends - issued == 240 && (claims["jti"] as? String)?.count == 32)
    }
}
