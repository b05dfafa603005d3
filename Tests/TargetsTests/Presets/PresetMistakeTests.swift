import HTTPTypes
import Testing

@testable import Targets

@Suite("Mistakes with presets") struct PresetMistakeTests {
    @Test(
        "what is wrong with a target is said at its place, with what was probably meant",
        arguments: [
            ("preset: our, host: h, token: t", "1:22: ", "our`", "ours"),
            ("preset: splunk, host: h, token: t", "1:22: ", "expected one of", nil),
            ("preset: ours, token: t", "1:1: ", "preset ours needs `host:` (where it is)", nil),
            (
                "preset: ours, host: x.example, token: t", "1:34: ", "`host:` is https:// and a host",
                "https://x.example"
            ),
            (
                "preset: ours, host: \"https://x.example/a\", token: t", "1:34: ", "`host:` is https://",
                "https://x.example"
            ),
            ("preset: ours, host: \"https://u@x.example\", token: t", "1:34: ", "`host:`", nil),
            ("preset: ours, host: \"https://x.example\", tokn: t", "1:1: ", "needs `token:`", nil),
            ("preset: ours, host: \"https://x.example\", token: t, rom: a", "1:65: ", "unknown key `rom`", "room"),
            ("preset: ours, host: \"https://x.example\", token: t, room: \"a b\"", "1:71: ", "letters, digits", nil),
            ("preset: ours, host: \"https://x.example\", token: t, room: \"{id}\"", "1:71: ", "letters, digits", nil),
            (
                "preset: ours, host: \"https://x.example\", token: t, colour: gren", "1:73: ", "one of red, green",
                "green"
            ),
            (
                "preset: ours, host: \"https://x.example\", token: t, words: {a: \"{nam}\"}", "1:76: ",
                "there is no field", nil
            ),
            ("preset: ours, host: \"https://x.example\", token: \"a\\nb\"", "1:62: ", "Authorization", nil),
        ])
    func wrong(keys: String, place: String, message: String, meant: String?) throws {
        let presets = try PresetBench.catalogue(PresetBench.ours).presets
        let (blueprint, messages) = try PresetBench.decode("{type: http, \(keys)}", presets)
        #expect(blueprint == nil)
        let found = messages.first { $0.contains(message) }
        #expect(found?.hasPrefix("gatehouse.yaml:\(place)") == true, "\(messages)")
        if let meant { #expect(found?.contains(meant) == true, "\(messages)") }
    }

    @Test(
        "where what decides how a target is read has no value, it is said that the rest is not checked",
        arguments: [
            (#"{type: http, preset: "${env:P}", host: h}"#, "1:22: "), (#"{type: "${env:T}", preset: ours}"#, "1:8: "),
        ])
    func undecided(target: String, place: String) throws {
        let (blueprint, messages) = try PresetBench.decode(target, try PresetBench.catalogue(PresetBench.ours).presets)
        #expect(blueprint == nil)
        #expect(
            messages.contains {
                $0.hasPrefix("gatehouse.yaml:\(place)warning: as `${env:") && $0.contains("is not checked")
            })
    }

    @Test("what a shipped preset makes of a target is told where the target names it: nobody has its file")
    func shippedPlace() throws {
        let (blueprint, messages) = try PresetBench.decode(
            """
            type: http
            preset: sentinel
            dce: https://x.example
            dcr: dcr-1
            stream: Custom-Visits_CL
            tenant: t
            client_id: c
            """, .shipped)
        #expect(blueprint == nil && messages.count == 1)
        #expect(messages[0].hasPrefix("gatehouse.yaml:2:9: ") && messages[0].contains("client_secret"), "\(messages)")
    }

    @Test(
        "http:// is warned of, unless it stays on this machine",
        arguments: [("http://x.example:8088", 1), ("http://127.0.0.1:8088", 0), ("https://x.example:8088", 0)])
    func clearText(endpoint: String, warnings: Int) throws {
        let (blueprint, messages) = try PresetBench.decode(
            #"{type: http, preset: splunk-hec, endpoint: "\#(endpoint)", token: t, allow: 127.0.0.1/32}"#, .shipped)
        #expect(blueprint != nil && messages.count == warnings, "\(messages)")
        #expect(messages.allSatisfy { $0.contains("warning: `endpoint:` is http://") })
    }

    @Test("a preset that is there and has errors is no further error of the targets that name it")
    func broken() throws {
        var presets = PresetCatalogue.shipped
        presets.add(broken: "ours")
        let (blueprint, messages) = try PresetBench.decode("{type: http, preset: ours}", presets)
        #expect(blueprint == nil && messages == [])
        let (_, other) = try PresetBench.decode("{type: http, preset: our}", presets)
        #expect(other.count == 1 && other[0].contains("did you mean ours"))
    }

    @Test("a URL that is a secret by itself stands in no file, and is shown nowhere")
    func secretURL() throws {
        let url = "https://hooks.slack.com/services/T0/B0/X0"
        let (plain, messages) = try PresetBench.decode("{type: http, preset: slack, webhook_url: \"\(url)\"}", .shipped)
        #expect(plain == nil && messages.count == 1)
        #expect(messages[0].hasPrefix("gatehouse.yaml:1:42: `webhook_url:` is a secret by itself"), "\(messages)")
        #expect(!messages[0].contains("B0"))
        let (decoded, none) = try PresetBench.decode(
            #"{type: http, preset: slack, webhook_url: "${env:HOOK}"}"#, .shipped, environment: ["HOOK": url])
        let blueprint = try #require(decoded)
        #expect(none == [] && blueprint.request.endpoint.url == url && !blueprint.destination.contains("B0"))
        #expect(!text(try #require(blueprint.settings.version).source).contains("B0"))
    }
}
