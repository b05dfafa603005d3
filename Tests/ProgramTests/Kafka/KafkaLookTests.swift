import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

extension ProgramTests {
    @Suite("Whichever instance is asked", .enabled(if: KafkaCluster.isAvailable)) struct KafkaLookTests {
        @Test("tells what all of them took and delivered, also when none of them runs")
        func looking() async throws {
            let pair = try await Pair()
            try await pair.expectSettled()
            for isRunning in [true, false] {
                if !isRunning { try await pair.stop() }
                for instance in [pair.one, pair.two] {
                    try await pair.expectWhole(instance, "\(instance.name), \(isRunning ? "running" : "stopped")")
                }
            }
        }

        @Test("carries out what is decided about dead letters, whoever has them")
        func deadLetters() async throws {
            let pair = try await Pair()
            try await pair.expectSettled()
            let bad = pair.bad.map { $0.events[0].id }
            for (id, instance) in zip(bad, [pair.one, pair.two]) {
                let outcome = try await instance.installation.gatehouse(
                    "dead-letters", "discard", "--target", "crm", "--event", id)
                #expect(outcome.status == 0 && outcome.output == "1 discarded\n", "\(outcome)")
            }
            pair.isHealed.withLock { $0 = true }
            let outcome = try await pair.two.installation.gatehouse("dead-letters", "requeue", "--target", "crm")
            #expect(outcome.output == "\(bad.count - 2) queued again\n", "\(outcome)")
            for instance in [pair.one, pair.two] {
                let isDone = try await eventually {
                    let balance = try await instance.installation.balance()
                    func count(_ state: String) -> Int? { JSON.value(balance, "targets", "crm", state) as? Int }
                    return count("dead") == 0 && count("discarded") == 2 && count("pending") == 0
                        && count("delivered") == pair.all.count - 2
                }
                let balance = try await instance.installation.balance()
                #expect(isDone, "\(instance.name): \(balance)")
            }
            try await pair.stop()
            #expect(try await pair.two.installation.count("discarded", at: "crm") == 2)
        }

        @Test("pauses and resumes a target at all of them")
        func pausing() async throws {
            let pair = try await Pair()
            try await pair.expectSettled()
            func state(_ instance: KafkaInstance) async throws -> String? {
                try await instance.installation.target("partner")?["state"] as? String
            }
            #expect(try await pair.one.installation.gatehouse("targets", "pause", "partner").status == 0)
            for instance in [pair.one, pair.two] {
                #expect(try await eventually { try await state(instance) == "paused" }, "\(instance.name)")
            }
            let count = pair.partner.count
            let later = (0..<8).map { Sender.signinapp.event("later-\($0)", site: 100 + $0) }
            for (number, event) in later.enumerated() {
                let service = try #require([pair.one, pair.two][number % 2].service)
                #expect(try await service.post(event).status == 200)
            }
            // The other target has them, so they were there to be had.
            #expect(await poll(deadline: patience) { pair.crm.withLock(\.count) >= pair.all.count + later.count })
            #expect(pair.partner.count == count, "a paused target was sent something")
            #expect(try await pair.two.installation.gatehouse("targets", "resume", "partner").status == 0)
            let ids = Set(later.map { $0.events[0].id })
            #expect(await poll(deadline: patience) { ids.isSubset(of: pair.partner.ids) })
            try await pair.stop()
        }

        @Test("sends events again from all shards when a replay is asked for, and knows of it afterwards")
        func replay() async throws {
            let pair = try await Pair()
            try await pair.expectSettled()
            let outcome = try await pair.two.installation.gatehouse(
                "replay", "--target", "partner", "--since", "1h", "--json")
            #expect(outcome.status == 0, "\(outcome)")
            let replay = try #require(try outcome.objects.first)
            #expect(replay["state"] as? String == "finished")
            #expect(replay["delivered"] as? Int == pair.all.count)
            let number = try #require(replay["replay"] as? Int)
            let counts = Dictionary(grouping: pair.partner.all, by: \.id).mapValues(\.count)
            #expect(counts.count == pair.all.count && counts.values.allSatisfy { $0 == 2 })
            for isRunning in [true, false] {
                if !isRunning { try await pair.stop() }
                for instance in [pair.one, pair.two] {
                    let balance = try await instance.installation.balance()
                    #expect(JSON.value(balance, "replays", "\(number)", "delivered") as? Int == pair.all.count)
                    #expect(JSON.value(balance, "targets", "partner", "delivered") as? Int == pair.all.count)
                }
            }
        }
    }
}

/// Two instances that each took half of some events. One target takes everything, the other refuses some for good.
private final class Pair: Sendable {
    let one: KafkaInstance
    let two: KafkaInstance
    let partner = KafkaReceipts()
    /// Ids as the target `crm` got them.
    let crm = Shared<[String]>([])
    /// From then on `crm` takes everything.
    let isHealed = Shared(false)
    let good: [SentEvent]
    let bad: [SentEvent]
    private let cluster: KafkaCluster
    private let server: ScriptedServer

    var all: [SentEvent] { good + bad }

    init() async throws {
        cluster = try await KafkaCluster.shared()
        let prefix = KafkaCluster.newPrefix("pair")
        server = ScriptedServer { [crm, isHealed] request in
            crm.withLock { $0.append(request.headers["webhook-id"] ?? "") }
            let isBad = String(decoding: request.body, as: UTF8.self).contains("bad-")
            return HTTPResponse(status: isBad && !isHealed.withLock { $0 } ? 422 : 200)
        }
        let targets = """
            \(partner.target("partner"))
              crm: {type: webhook, url: "\(server.url())", allow: 127.0.0.1/32, attempts: 1, \
            sign: {scheme: standard-webhooks, secrets: "${env:PARTNER_SECRET}"}}
            """
        let routes = "  - {name: everything, to: [partner, crm]}"
        one = try KafkaInstance("one", cluster, prefix: prefix, targets: targets, routes: routes)
        two = try KafkaInstance("two", cluster, prefix: prefix, targets: targets, routes: routes)
        good = (0..<16).map { Sender.signinapp.event("good-\($0)", site: $0, leaving: $0 % 3 == 0) }
        bad = (0..<6).map { Sender.signinapp.event("bad-\($0)", site: $0) }
        try await one.start()
        try await two.start()
        for (number, event) in (good + bad).enumerated() {
            let service = try #require([one, two][number % 2].service)
            #expect(try await service.post(event).status == 200)
        }
    }

    func expectSettled() async throws {
        let isDone = try await eventually {
            let balance = try await one.installation.balance()
            return JSON.value(balance, "targets", "partner", "delivered") as? Int == all.count
                && JSON.value(balance, "targets", "crm", "delivered") as? Int == good.count
                && JSON.value(balance, "targets", "crm", "dead") as? Int == bad.count
        }
        let outcome = try await one.installation.gatehouse("reconcile", "--json")
        #expect(isDone, "\(outcome)")
    }

    func stop() async throws {
        for instance in [one, two] {
            guard instance.service != nil else { continue }
            #expect(await instance.stop() == .exited(0))
        }
    }

    /// Everything both took and delivered, as this one tells it.
    func expectWhole(_ instance: KafkaInstance, _ what: String) async throws {
        let installation = instance.installation
        let ids = Set(all.map { $0.events[0].id })
        let events = try await installation.events().compactMap { $0["id"] as? String }
        #expect(events.count == ids.count && Set(events) == ids, "\(what)")
        let deliveries = try await installation.deliveries("--target", "crm")
        let states = Dictionary(grouping: deliveries) { $0["state"] as? String ?? "" }.mapValues(\.count)
        #expect(states == ["delivered": good.count, "dead": bad.count], "\(what)")
        for event in [good[0], good[1], bad[0], bad[1]] {
            let trace = try await installation.gatehouse("trace", "--json", event.events[0].id)
            #expect(trace.status == 0, "\(what): \(trace)")
            let told = try #require(try trace.objects.first?["targets"] as? [[String: Any]])
            let isBad = bad.contains { $0.events[0].id == event.events[0].id }
            let expected = ["partner": "delivered", "crm": isBad ? "dead" : "delivered"]
            let found = told.reduce(into: [:]) { $0[$1["target"] as? String ?? ""] = $1["state"] as? String }
            #expect(found == expected, "\(what)")
        }
        let letters = try await installation.gatehouse("dead-letters", "list", "--json", "--target", "crm")
        #expect(letters.status == 0)
        #expect(
            Set(try letters.objects.compactMap { $0["event"] as? String }) == Set(bad.map { $0.events[0].id }),
            "\(what)")
        let balance = try await installation.balance()
        #expect(balance["accepted"] as? Int == ids.count, "\(what)")
        #expect(JSON.value(balance, "targets", "crm", "dead") as? Int == bad.count, "\(what)")
        #expect(JSON.value(balance, "targets", "partner", "delivered") as? Int == ids.count, "\(what)")
    }
}

/// A value that a receiver's thread and the test share.
private final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) {
        self.value = Mutex(value)
    }

    func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        value.withLock { value in body(&value) }
    }
}
