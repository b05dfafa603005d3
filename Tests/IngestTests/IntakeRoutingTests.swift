import Addresses
import EventLog
import Events
import Foundation
import HTTPClient
import HTTPServer
import HTTPTypes
import Ingest
import JSON
import Metrics
import Signatures
import Simulator
import Synchronization
import Testing
import Vendors

@Suite("A request that is not for a source")
struct IntakeRoutingTests {
    private func status(_ fixture: IntakeFixture, _ method: String, _ path: String, _ headers: HeaderFields = [:])
        -> Int?
    {
        var request = HTTPClientRequest(method: method, url: "http://127.0.0.1:\(fixture.server.port)\(path)")
        request.headers = headers
        if method == "POST" { request.body = Array("{}".utf8) }
        return try? fixture.client.sendAndWait(request).get().status
    }

    @Test(
        "is refused with its reason",
        arguments: [
            ("POST", "/", 404, "not_found"), ("POST", "/in/", 404, "not_found"),
            ("POST", "/in/nobody", 404, "source_unknown"),
            ("GET", "/in/from-envoy", 405, "method_not_allowed"), ("POST", "/in/from%2Denvoy", 404, "source_unknown"),
            ("POST", "/in/from-envoy/other", 404, "not_found"), ("POST", "/in/from-envoy/validate/x", 404, "not_found"),
        ])
    func refused(method: String, path: String, expected: Int, code: String) throws {
        let fixture = try IntakeFixture()
        #expect(status(fixture, method, path) == expected)
        #expect(fixture.lastRefusal()?.code == code)
    }

    @Test("is refused when it is compressed")
    func compressed() throws {
        let fixture = try IntakeFixture()
        #expect(status(fixture, "POST", "/in/from-envoy", ["Content-Encoding": "gzip"]) == 415)
        #expect(fixture.lastRefusal()?.code == "content_encoding_unsupported")
    }

    @Test("is refused from an address the source does not allow")
    func address() throws {
        let fixture = try IntakeFixture { $0.allow = [IPNetwork("192.0.2.0/24")!] }
        #expect(status(fixture, "POST", "/in/from-envoy") == 403)
        #expect(fixture.lastRefusal()?.code == "address_not_allowed")
        #expect(fixture.lastRefusal()?.address?.description == "127.0.0.1")
    }

    @Test("of Envoy's set-up is verified and answered with an empty object")
    func validation() throws {
        let fixture = try IntakeFixture()
        let envoy = Vendors.named("envoy")!
        let answer = fixture.postSigned(envoy, Array(#"{"meta":{},"payload":{}}"#.utf8), suffix: "/validate")
        #expect(answer?.status == 200)
        #expect(answer?.body == Array("{}".utf8))
        #expect(fixture.post(envoy, Array("{}".utf8), [:], suffix: "/validate")?.status == 401)
        #expect(fixture.log.records.isEmpty)
    }

    @Test("gets the site's key, name and zone where the sender gave none")
    func sites() throws {
        let site = Site(key: "london", name: "London", timezone: "Europe/London", ids: ["from-signinapp": ["4567"]])
        let fixture = try IntakeFixture(sites: [site])
        let vendor = Vendors.named("signinapp")!
        let body = Array(#"{"event":"visitor.signin","idempotency_key":"k","site":{"id":4567,"name":"Acme Co"}}"#.utf8)
        #expect(fixture.postSigned(vendor, body)?.status == 200)
        let view = EventView(try JSONParser().parse(try #require(fixture.log.records.first).payload))
        #expect(view?.text(.siteKey) == "london")
        #expect(view?.text(.siteName) == "Acme Co")
        #expect(view?.text(.siteTimezone) == "Europe/London")
    }

    @Test(
        "has the time zone its sender gave, else its site's, else its source's",
        arguments: [
            (#""id":4567,"timezone":"Australia/Adelaide""#, "Australia/Adelaide"),
            (#""id":4567"#, "Europe/London"), (#""id":4567,"timezone":null"#, "Europe/London"),
            (#""id":"4567","timezone":"""#, "Europe/London"), (#""id":8910"#, "Europe/Stockholm"),
            (#""id":12"#, "Europe/Stockholm"), (#""id":12,"timezone":"Asia/Tokyo""#, "Asia/Tokyo"),
        ])
    func timezones(site: String, zone: String) throws {
        let ids = ["lobby": ["4567"]]
        let sites = SiteDirectory([
            Site(key: "london", timezone: "Europe/London", ids: ids), Site(key: "oslo", ids: ["lobby": ["8910"]]),
        ])
        let source = SourceConfiguration(
            name: "lobby", vendor: Vendors.named("signinapp")!, authentication: SourceAuthentication(),
            maximumBody: 1 << 20, settings: DecodeSettings(source: "lobby"), timezone: "Europe/Stockholm")
        let body = Array(#"{"event":"visitor.signin","site":{\#(site)}}"#.utf8)
        let events = try Normaliser(source: source, sites: sites).normalise(body)
        let view = EventView(try JSONParser().parse(try #require(events.first)))
        #expect(view?.text(.siteTimezone) == zone)
    }
}
