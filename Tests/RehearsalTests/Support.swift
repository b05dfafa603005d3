import Events
import Ingest
import JSON
import Testing
import Vendors
import YAML

@testable import Rehearsal
@testable import Rules

/// A builder for two sources of one sender and one of another, and a site of both.
let builder: EventBuilder = {
    func source(_ name: String, _ vendor: any Vendor) -> SourceConfiguration {
        SourceConfiguration(
            name: name, vendor: vendor, authentication: SourceAuthentication(), maximumBody: 1 << 20,
            settings: DecodeSettings(source: name))
    }
    return EventBuilder(
        sources: [
            source("london", SignInApp()), source("paris", SignInApp()), source("guests", Netgraph()),
            source("sydney", Sine()),
        ],
        sites: SiteDirectory([
            Site(key: "hq", timezone: "Europe/London", ids: ["london": ["4567"]]),
            Site(
                key: "annex", name: "The Annex", timezone: "Europe/Paris", ids: ["london": ["99"], "paris": ["4567"]]),
        ]))
}()

let environment = RuleEnvironment(
    sources: ["london", "paris", "guests", "sydney"], vendors: Vendors.all.map(\.name), siteKeys: ["hq", "annex"],
    targets: ["siem", "crm", "desk"])

/// The rules of one file, which must load without an error.
func rules(_ text: String, file: String = "r.yaml") throws -> RuleFiles {
    var diagnostics = Diagnostics()
    let files = RuleLoader.load(
        texts: [(file, Array(text.utf8))], environment: environment, diagnostics: &diagnostics)
    try #require(!diagnostics.hasErrors, "\(diagnostics)")
    return files
}

/// What `set:` or `--set` says.
func changes(_ texts: String...) throws -> [FieldChange] {
    try texts.flatMap { text throws(Diagnostics) in try FieldChange.read(argument: text) }
}

/// The value at a pointer into an event, as JSON; nil when there is none.
func json(_ event: EventView, _ pointer: String) throws -> String? {
    try event.tape.value(at: JSONPointer(pointer)).map {
        String(decoding: event.tape.bytes[event.tape.span($0)], as: UTF8.self)
    }
}

/// The error of what must fail.
func failure(_ body: () throws -> Void) -> RehearsalError? {
    do {
        try body()
        return nil
    } catch {
        return error as? RehearsalError
    }
}
