import Foundation
import Testing

extension ProgramTests {
    @Suite("send") struct SendTests {
        private static let samples = [
            ("london", "visitor.signin", "visitor.signin"), ("london", "visitor.signout", "visitor.signout"),
            ("sydney", "signin_after", "visitor.signin"), ("sydney", "signin_rejected", "visitor.rejected"),
            ("guests", "signin.session.denied", "session.denied"), ("guests", "dhcp.granted", "dhcp.granted"),
            ("faces", "FaceMatched", "face.matched"), ("faces", "face.template", "face.template"),
            ("lobby", "entry_sign_in", "visitor.signin"), ("lobby", "invite_created", "invitation.created"),
        ]

        @Test("is taken by a running instance, for every sender, and the event is listed")
        func everySender() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            let url = "http://127.0.0.1:\(service.intakePort)"
            for (source, event, type) in Self.samples {
                let outcome = try await installation.gatehouse("send", "--source", source, "--event", event, url)
                #expect(outcome.status == 0, "\(outcome)")
                let listed = try await installation.events("--source", source, "--type", type)
                #expect(!listed.isEmpty, "\(source) \(event)")
            }
            #expect(try await installation.refusals().isEmpty)
            #expect(try await installation.events().count == Self.samples.count)
            #expect(await service.stop() == .exited(0))
        }

        @Test("sends many at a rate, in batches where the sender has them, each another event")
        func many() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            let url = "http://127.0.0.1:\(service.intakePort)/"
            let batches = try await installation.gatehouse(
                "send", "--source", "guests", "--event", "signin.session.created", "--count", "250", "--batch", "100",
                "--json",
                "\(url)in/guests")
            #expect(batches.status == 0, "\(batches)")
            #expect(try batches.objects.map { $0["count"] as? Int } == [100, 100, 50])
            let single = try await installation.gatehouse(
                "send", "--source", "london", "--event", "visitor.signin", "--count", "60", "--rate", "300/s",
                "--connections",
                "3", "--set", "/visitor/name=Ada Lovelace", "--set", "/site/id=99", "--seed", "7", url)
            #expect(single.status == 0, "\(single)")
            let events = try await installation.events("--source", "london")
            #expect(events.count == 60)
            #expect(events.allSatisfy { JSON.value($0, "data", "visitor", "name") as? String == "Ada Lovelace" })
            #expect(events.allSatisfy { JSON.value($0, "data", "site", "id") as? String == "99" })
            // The same seed sends the same events: all of them are known.
            let again = try await installation.gatehouse(
                "send", "--source", "london", "--event", "visitor.signin", "--count", "60", "--seed", "7", url)
            #expect(again.status == 0)
            let balance = try await installation.balance()
            #expect(balance["accepted"] as? Int == 310)
            #expect(balance["duplicates"] as? Int == 60)
            #expect(await service.stop() == .exited(0))
        }

        @Test("tries as often as the sender would, then says what the last answer was")
        func refused() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            let outcome = try await installation.gatehouse(
                "send", "--vendor", "signinapp", "--secret", "wrong", "--event", "visitor.signin", "--hurry", "100000",
                "http://127.0.0.1:\(service.intakePort)/in/london")
            #expect(outcome.status == 1)
            #expect(outcome.output.contains("0 of 1 events taken, 1 requests, 4 tries"), "\(outcome)")
            #expect(outcome.errors.contains("401"), "\(outcome)")
            #expect(
                try await installation.refusals().map { $0["code"] as? String }
                    == Array(repeating: "signature_mismatch", count: 4))
            let silent = try await installation.gatehouse(
                "send", "--source", "sydney", "--event", "signin_after", "--hurry", "100000",
                "http://127.0.0.1:\(try freePort())")
            #expect(silent.status == 1)
            #expect(await service.stop() == .exited(0))
        }
    }
}
