import Events
import Foundation
import JSON
import TestSupport
import Testing

@testable import Targets

@Suite("The ocsf format")
struct OCSFTests {
    /// Reads records, one a line, and says of each whether its class's schema takes it.
    private static let validator = """
        import json, sys
        from jsonschema import Draft202012Validator
        from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
        published = get_ocsf_schema(version="\(OCSFMapping.schemaVersion)")
        schema = OcsfJsonSchemaEmbedded(published)
        validators = {}
        activities = {}
        count = 0
        for line in sys.stdin.buffer.read().split(b"\\n"):
            if not line:
                continue
            record = json.loads(line)
            uid = record["class_uid"]
            if uid not in validators:
                name = schema.lookup_class_name_from_uid(uid)
                name = {"Base Event": "base_event", "Authentication": "authentication",
                        "Entity Management": "entity_management", "DHCP Activity": "dhcp_activity"}.get(name, name)
                validators[uid] = Draft202012Validator(schema.get_class_schema(name))
                activities[uid] = published["classes"][name]["attributes"]["activity_id"]["enum"]
            count += 1
            activity = record["activity_id"]
            caption = activities[uid][str(activity)]["caption"]
            if activity != 99 and record.get("activity_name", caption) != caption:
                print(count, uid, "activity_name", record["activity_name"])
            if record["type_uid"] != uid * 100 + activity:
                print(count, uid, "type_uid", record["type_uid"])
            for error in validators[uid].iter_errors(record):
                print(count, uid, "/".join(map(str, error.absolute_path)), error.message[:300])
        print("checked", count)
        """

    private func complaints(_ records: [[UInt8]]) throws -> String {
        let input = records.map { text($0) + "\n" }.joined()
        let result = try run(PythonEnvironment.program("python"), ["-c", Self.validator], input: input)
        #expect(result.status == 0, "\(result.output)")
        return result.output
    }

    @Test(
        "is taken by the published schema: every sender's samples, every type, hostile texts, shortened records",
        .enabled(if: PythonEnvironment.isAvailable))
    func schema() throws {
        var records: [[UInt8]] = []
        let format = OCSFFormat()
        for sample in FormatSample.all {
            records.append(try render(format, sample.event))
            records.append(try render(format, sample.event, original: false, limit: 1024))
        }
        for (index, type) in CanonicalType.allCases.enumerated() {
            for text in Hostile.texts where text.utf8.count < 700 {
                records.append(try render(format, FormatSample.full(type, text: text, hasActor: index % 2 == 0)))
            }
            let long = try FormatSample.full(type, text: String(repeating: "é=", count: 400))
            for limit in [1024, 8000] { records.append(try render(format, long, limit: limit)) }
            var nothing = FormatSample.nothing
            records.append(try render(format, Sample.event(type.rawValue, replacing: nothing)))
            nothing["vendor"] = "null"
            nothing["source"] = "null"
            records.append(try render(format, Sample.event(type.rawValue, replacing: nothing)))
            let typed = [
                "device": #"{"mac":"00:11:22:aa:bb:cc","ip":"2001:db8::1"}"#,
                "visitor": #"{"email":"john.smith@example.com","phone":"1"}"#, "change": #"{"after":{"a":1}}"#,
                "actor": #"{"email":"root@example.com"}"#,
            ]
            records.append(try render(format, Sample.event(type.rawValue, replacing: typed)))
        }
        #expect(try complaints(records) == "checked \(records.count)\n")
    }

    @Test(
        "is taken by the published schema under any field policy", .enabled(if: PythonEnvironment.isAvailable))
    func policies() throws {
        let everything = "[\(FormatSample.policied.joined(separator: ", "))]"
        let policies = [
            "only: [site]", "only: [time]", "redact: \(everything)",
            "hash: {key: \"\(String(repeating: "k", count: 16))\", fields: \(everything)}",
            "coarsen: {device.ip: network, time: day}", "truncate: {visitor.name: 1, host.email: 3, device.id: 1}",
        ]
        var records: [[UInt8]] = []
        for policy in policies {
            let (target, problems) = try decode("{type: file, path: /tmp/x, format: ocsf, \(policy)}")
            #expect(problems == [])
            let preview = try FormatPreview(nil, as: target, hostname: "gate")
            for type in CanonicalType.allCases {
                let event = try FormatSample.full(type, text: "john@example.com")
                records.append(try preview.line(Sample.outgoing(event)))
            }
        }
        #expect(try complaints(records) == "checked \(records.count)\n")
    }

    @Test("would not be taken with a member too many, or one too few", .enabled(if: PythonEnvironment.isAvailable))
    func strictness() throws {
        let record = text(try render(OCSFFormat(), Sample.event()))
        let wrong = [
            "{\"visitor\":1," + record.dropFirst(), record.replacing("\"user\":", with: "\"unmapped2\":"),
            record.replacing(#""metadata":{"version":"1.8.0","#, with: #""metadata":{"#),
            record.replacing("\"Logon\"", with: "\"Logoff\""), record.replacing("300201", with: "300202"),
        ]
        let lines = try complaints(wrong.map { Array($0.utf8) }).split(separator: "\n")
        #expect(
            Set(lines.compactMap { $0.split(separator: " ").first }).isSuperset(of: ["1", "2", "3", "4", "5"]),
            "\(lines)")
    }

    @Test(
        "has the type of the event",
        arguments: [
            (CanonicalType.visitorSignin, 300_201), (.visitorSignout, 300_202), (.visitorRejected, 300_201),
            (.invitationCreated, 300_401), (.invitationUpdated, 300_403), (.invitationDeleted, 300_404),
            (.sessionCreated, 300_201), (.dhcpGranted, 400_405), (.dhcpExpired, 400_409),
            (.configurationAudited, 300_403), (.faceTemplate, 300_406), (.other, 99),
        ])
    func types(type: CanonicalType, uid: Int) throws {
        let record = try JSONTape.object(render(OCSFFormat(), FormatSample.full(type, text: "x")))
        #expect(record["type_uid"] as? Int == uid)
        #expect(record["class_uid"] as? Int == uid / 100)
        #expect(record["activity_id"] as? Int == uid % 100)
        #expect(record["category_uid"] as? Int == uid / 100_000)
        #expect(record["time"] as? Int == 1_577_880_001_000)
    }

    @Test("says of a rejection that it failed, and why; of an audit who did it")
    func details() throws {
        let rejected = try JSONTape.object(
            render(
                OCSFFormat(),
                Sample.event("visitor.rejected", replacing: ["visit": #"{"reasons":[{"reason":"No NDA"}]}"#])))
        #expect(rejected["status_id"] as? Int == 2)
        #expect(rejected["status_detail"] as? String == "No NDA")
        #expect(rejected["logon_type_id"] as? Int == 99 && rejected["logon_type"] as? String == "Physical")
        let audit = try JSONTape.object(render(OCSFFormat(), FormatSample.full(.configurationAudited, text: "ssid")))
        let user = (audit["actor"] as? [String: Any])?["user"] as? [String: Any]
        #expect(user?["name"] as? String == "ssid" && user?["uid"] as? String == "7")
        #expect(((audit["entity"] as? [String: Any])?["data"] as? [String: Any])?["x"] as? String == "ssid")
    }

    @Test("of an enrolled face never has the image, though the target is given biometrics")
    func biometrics() throws {
        let event = try Sample.event(
            "face.template", replacing: ["vendor": #""alocity""#],
            original: #"{"Payload":{"Template":"AAAA","Image":"BBBB","inviteId":"7"}}"#)
        let policy = ContentPolicy(includesOriginal: true, includesBiometrics: true)
        for format in [OCSFFormat() as any EventFormat, ECSFormat()] {
            let line = text(
                try format.render(Sample.outgoing(event), RenderingOptions(policy: policy, hostname: "gate")))
            #expect(line.contains("inviteId") && !line.contains("AAAA") && !line.contains("BBBB"))
        }
    }
}
