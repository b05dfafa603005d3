import Foundation
import TestSupport
import Testing

/// The data folder of a program that was killed, and what it must hold.
private final class KilledInstance: Sendable {
    let installation: Installation
    let requests: [SentEvent]
    /// By id: the line that a file target gets of the undamaged log.
    let lines: [String: String]

    var folder: String { installation.path("data") }

    init() async throws {
        installation = try Self.installation(isAnewEnabled: false)
        // Some in the file itself, some in its write-ahead log; some larger than a page.
        let early =
            [Self.large("large-1"), Self.large("large-2"), Sender.netgraph.event("batch", elements: 120)]
            + (0..<60).map { Sender.envoy.event("early-\($0)") }
        let late = (0..<25).map { Sender.signinapp.event("late-\($0)") }
        let all = early + late
        try await Self.run(installation, early, upTo: early.flatMap(\.events).count, isKilled: false)
        try await Self.run(installation, late, upTo: all.flatMap(\.events).count, isKilled: true)
        requests = all
        var lines: [String: String] = [:]
        for line in installation.read("archive.ndjson").split(separator: "\n") {
            lines[try #require(JSON.object(String(line))["id"] as? String)] = String(line)
        }
        self.lines = lines
        #expect(Set(lines.keys) == Set(all.flatMap(\.events).map(\.id)))
    }

    private static func run(
        _ installation: Installation, _ requests: [SentEvent], upTo count: Int, isKilled: Bool
    ) async throws {
        let service = try await installation.start()
        for request in requests { #expect(try await service.post(request).status == 200) }
        #expect(try await eventually { try installation.archivedIDs.count == count })
        if isKilled { await service.kill() } else { #expect(await service.stop() == .exited(0)) }
    }

    private static func large(_ key: String) -> SentEvent {
        var event = Sender.envoy.event(key)
        event.body.replace("Priya Raman", with: String(repeating: "Priya ", count: 5000))
        event.headers = Sender.envoy.headers(for: event.body)
        return event
    }

    /// `anew` has got nothing yet.
    private static func installation(isAnewEnabled: Bool) throws -> Installation {
        try Installation(
            targets: Installation.archive + "\n  anew: {type: file, path: ./anew.ndjson, enabled: \(isAnewEnabled)}",
            routes: "  - {name: everything, to: [archive, anew]}")
    }

    /// A copy with the damage, where a target is about to get everything.
    func copy(_ damage: Damage) throws -> Installation {
        let copy = try Self.installation(isAnewEnabled: true)
        try FileManager.default.createDirectory(atPath: copy.path("data"), withIntermediateDirectories: false)
        for name in ["events.db", "events.db-wal", "head", "state.db", "state.db-wal"] {
            try FileManager.default.copyItem(atPath: "\(folder)/\(name)", toPath: copy.path("data/\(name)"))
        }
        try damage.apply(in: copy.path("data"))
        return copy
    }
}

extension ProgramTests {
    @Suite("A damaged log") struct DamageTests {
        private static let seed = Torture.seed

        @Test("is never believed: what is wrong is named, nothing wrong is delivered, and nothing is passed over")
        func sweep() async throws {
            let killed = try await KilledInstance()
            var random = SeededGenerator(Self.seed)
            let damages = try LogMap(folder: killed.folder).damages(Torture.damages, &random)
            print("damage: \(damages.count) places, seed \(Self.seed)")
            var found = ["harmless": 0, "refused": 0, "named": 0]
            for damage in damages {
                found[try await judge(damage, killed), default: 0] += 1
            }
            print("damage: \(found)")
            #expect(found["refused", default: 0] > damages.count / 4, "the sweep damaged nothing")
        }

        /// What the program makes of the damage.
        private func judge(_ damage: Damage, _ killed: KilledInstance) async throws -> String {
            let copy = try killed.copy(damage)
            let service = try copy.launch()
            let isDecided = await poll(deadline: patience) { service.ports != nil || service.process.current != nil }
            try #require(isDecided, "\(damage)")
            if let end = service.process.current {
                #expect(end == .exited(1), "\(damage): \(service.process.errors)")
                let refusal = service.log.first { $0.event == "start_failed" }?.message ?? ""
                #expect(refusal.contains("events.db"), "\(damage): \(service.process.errors)")
                #expect(refusal.contains("--accept-loss"), "\(damage): \(refusal)")
                try await expectSalvage(of: copy, damage, killed)
                return "refused"
            }
            let isNamed = try await expectTruth(service, copy, damage, killed)
            if isNamed { try await expectSalvage(of: copy, damage, killed) }
            return isNamed ? "named" : "harmless"
        }

        /// It has started: either it delivers everything that was sent, and knows all of it when it comes again, or says
        /// that it cannot.
        /// - Returns: whether it says so.
        private func expectTruth(
            _ service: Service, _ copy: Installation, _ damage: Damage, _ killed: KilledInstance
        ) async throws -> Bool {
            func isNamed() -> Bool { service.log.contains { ["log_damaged", "log_unreadable"].contains($0.event) } }
            let isDone = await poll(deadline: patience) {
                isNamed() || delivered(copy).count == killed.lines.count
            }
            #expect(isDone, "\(damage): \(service.process.errors)")
            expectSound(copy, damage, killed)
            if !isNamed() {
                for request in killed.requests {
                    let answer = try await service.post(request)
                    #expect(answer.status == 200, "\(damage): \(answer.text)")
                }
                let metrics = try MetricsPage(try await service.console("/metrics").text)
                let accepted = metrics.value("gatehouse_events_accepted_total") ?? 0
                #expect(accepted == 0 || isNamed(), "\(damage): a repeat was taken for something new")
            }
            #expect(await service.stop() == .exited(0), "\(damage)")
            return isNamed()
        }

        /// Started so that what is lost may be lost: the rest is there, and the balance tells what is not.
        private func expectSalvage(of copy: Installation, _ damage: Damage, _ killed: KilledInstance) async throws {
            let service = try copy.launch("--accept-loss")
            let isDecided = await poll(deadline: patience) { service.ports != nil || service.process.current != nil }
            try #require(isDecided && service.process.current == nil, "\(damage): \(service.process.errors)")
            // What is lost is counted when the target comes to it.
            let isDone = try await eventually { (try? await copy.count("pending", at: "anew")) == 0 }
            try #require(isDone, "\(damage): \(service.process.errors)")
            let balance = JSON.value(try await copy.balance(), "targets", "anew")
            let (there, expired) = (JSON.value(balance, "delivered") as? Int, JSON.value(balance, "expired") as? Int)
            #expect(await service.stop() == .exited(0), "\(damage)")
            expectSound(copy, damage, killed)
            #expect(there == delivered(copy).count, "\(damage)")
            if let there, let expired, there + expired != killed.lines.count {
                Issue.record("\(damage): \(there) delivered and \(expired) lost of \(killed.lines.count)")
            }
        }

        private func delivered(_ copy: Installation) -> [Substring] {
            let text = copy.read("anew.ndjson")
            return text.split(separator: "\n").dropLast(text.hasSuffix("\n") ? 0 : 1)
        }

        /// Nothing but what was sent, as it was sent, each once.
        private func expectSound(_ copy: Installation, _ damage: Damage, _ killed: KilledInstance) {
            let lines = delivered(copy)
            let right = Set(killed.lines.values)
            #expect(lines.allSatisfy { right.contains(String($0)) }, "\(damage): something else was delivered")
            #expect(Set(lines).count == lines.count, "\(damage): something was delivered twice")
        }
    }
}
