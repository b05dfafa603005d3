import Configuration
import Rules
import Targets
import Testing

@Suite("The conditions of a target")
struct AdmissionTests {
    private func load(_ target: String) throws -> (configuration: Configuration?, messages: [String]) {
        let folder = try ConfigurationFolder([
            "gatehouse.yaml": """
            sources: {london: {vendor: signinapp, verify: none}}
            targets:
              crm: {type: http, url: "https://x.example/", \(target)}
            routes: ./routes
            """,
            "routes/main.yaml": """
            lists: {do-not-contact: gone.txt}
            conditions: {consents: {additional: {Consent: yes}}}
            routes: [{name: all, to: crm}]
            """,
            "routes/gone.txt": "ann@acme.com\n",
        ])
        return folder.load()
    }

    @Test("may use the conditions and lists of the main files of routes")
    func names() throws {
        let (configuration, messages) = try load("only_if: {condition: consents}, opt_out: [do-not-contact]")
        #expect(messages.filter { $0.contains("error") } == [])
        #expect(configuration?.routes.admissions["crm"] != nil)
        let plain = try load("description: x").configuration
        #expect(plain?.routes.admissions.isEmpty == true && plain?.routes.hash != configuration?.routes.hash)
    }

    @Test(
        "are checked where they stand",
        arguments: [
            ("opt_out: do-not-contct", "no list is called `do-not-contct`"),
            ("only_if: {condition: consent}", "no condition is called `consent`"),
            ("only_if: {visitr: {id: 1}}", "visitr"),
        ])
    func mistakes(target: String, message: String) throws {
        let (configuration, messages) = try load(target)
        #expect(configuration == nil)
        #expect(
            messages.contains {
                $0.hasPrefix("gatehouse.yaml:3:") && $0.contains(message) && $0.contains("did you mean")
            }, "\(messages)")
    }
}
