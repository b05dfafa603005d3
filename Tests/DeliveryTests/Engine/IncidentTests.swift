import EventLog
import Events
import Foundation
import Synchronization
import Targets
import TestSupport
import Testing

@testable import Delivery

/// What an engine has reported.
private final class Incidents: Sendable {
    private let content = Mutex<[DeliveryIncident]>([])

    func take(_ incident: DeliveryIncident) { content.withLock { $0.append(incident) } }

    var all: [DeliveryIncident] { content.withLock { $0 } }

    /// Breakers and disabled targets, without their moments.
    var standing: [String] {
        all.compactMap {
            switch $0 {
            case .deadLetters: nil
            case .breakerOpened(let target, let reason, _): "opened \(target) \(reason)"
            case .disabled(let target, let reason): "disabled \(target) \(reason)"
            }
        }
    }

    var letters: Int64 {
        all.reduce(0) { if case .deadLetters(_, _, let count) = $1 { $0 + count } else { $0 } }
    }
}

@Suite("What delivery reports to people") struct IncidentTests {
    private static let takesAll = """
        routes:
          - {name: all, to: crm}
          - {name: own, when: {event: system.*}, to: crm}

        """
    private static let down = DeliveryOutcome.failed(
        DeliveryFailure(code: "connect_refused", message: "", blame: .target))
    private static let bad = DeliveryOutcome.failed(
        DeliveryFailure(code: "http_422", message: "", blame: .event, status: 422))
    private static let gone = DeliveryOutcome.failed(
        DeliveryFailure(code: "http_410", message: "", blame: .gone, status: 410))

    private static func start(_ harness: EngineHarness, _ incidents: Incidents) throws {
        try harness.start(["crm"], routes: takesAll)
        harness.engine.onIncident = { incidents.take($0) }
    }

    @Test("every dead letter is counted, by target and reason")
    func deadLetters() async throws {
        let (harness, incidents) = (try EngineHarness(), Incidents())
        try Self.start(harness, incidents)
        harness.target("crm").always(Self.bad)
        try await harness.append(20)
        #expect(await poll { incidents.letters == 20 })
        #expect(incidents.all.allSatisfy { if case .deadLetters("crm", "http_422", _) = $0 { true } else { false } })
    }

    @Test("a target that opens its breaker is reported once, and again when it ran in between; not over a restart")
    func breaker() async throws {
        let (harness, incidents) = (try EngineHarness(.embedded), Incidents())
        try Self.start(harness, incidents)
        harness.target("crm").always(Self.down)
        try await harness.append(10)
        #expect(await poll { incidents.standing == ["opened crm connect_refused"] })
        #expect(await poll { harness.target("crm").received.count > 30 }, "it is probed again and again")
        #expect(incidents.standing.count == 1)
        guard case .breakerOpened(_, _, let since) = incidents.all.first else {
            Issue.record("nothing was reported")
            return
        }

        try harness.reopen()
        try Self.start(harness, incidents)
        #expect(await poll { incidents.standing.count == 2 })
        guard case .breakerOpened(_, _, let after) = incidents.all.last else {
            Issue.record("nothing was reported")
            return
        }
        #expect(since == after, "it is told as the same one, so that it is no other event")

        harness.target("crm").always(delivered)
        #expect(harness.idle())
        harness.target("crm").always(Self.down)
        try await harness.append(10)
        #expect(await poll { incidents.standing.count == 3 })
    }

    @Test("a target that says it is gone is reported, and not again after a restart")
    func disabled() async throws {
        let (harness, incidents) = (try EngineHarness(.embedded), Incidents())
        try Self.start(harness, incidents)
        harness.target("crm").always(Self.gone)
        try await harness.append(20)
        #expect(await poll { incidents.standing == ["disabled crm http_410"] })
        try harness.reopen()
        try Self.start(harness, incidents)
        try await harness.append(5)
        #expect(harness.idle())
        #expect(incidents.standing == ["disabled crm http_410"])
        try harness.engine.resume("crm")
        #expect(await poll { incidents.standing.count == 2 })
    }

    @Test("what befalls events of our own is never reported", arguments: ["down", "bad", "gone"])
    func ownEvents(fault: String) async throws {
        let (harness, incidents) = (try EngineHarness(), Incidents())
        try Self.start(harness, incidents)
        harness.target("crm").always(fault == "down" ? Self.down : fault == "bad" ? Self.bad : Self.gone)
        try await harness.append(4) { _ in "system.dead_letter" }
        #expect(
            await poll {
                switch fault {
                case "down": harness.target("crm").received.count > 12
                case "bad": harness.status.standing == .running && harness.idle()
                default: harness.status.standing == .disabled(why: "http_410")
                }
            })
        #expect(incidents.all.isEmpty)
        guard fault == "down" else { return }
        // The breaker is open already; a sender's event behind it makes it everybody's business.
        try await harness.append(5)
        #expect(await poll { incidents.standing == ["opened crm connect_refused"] })
    }

    @Test("a target that always fails, and is sent every event about itself, ends that", arguments: ["bad", "down"])
    func noLoop(fault: String) async throws {
        let (harness, incidents) = (try EngineHarness(), Incidents())
        try Self.start(harness, incidents)
        harness.target("crm").always(fault == "bad" ? Self.bad : Self.down)
        let log = harness.log
        let count = Atomic(UInt64(1_000_000))
        harness.engine.onIncident = { incident in
            incidents.take(incident)
            // As eager as can be: an event for every report.
            let number = count.add(1, ordering: .relaxed).newValue
            log.append(AppendBatch(records: [newRecord(number, type: "system.dead_letter")])) { _ in }
        }
        try await harness.append(10)
        let expected = fault == "bad" ? 10 : 1
        #expect(await poll { fault == "bad" ? incidents.letters == 10 : incidents.standing.count == 1 })
        let reported = incidents.all.count
        #expect(reported <= expected)
        let sent = harness.target("crm").received.count
        if fault == "bad" {
            #expect(harness.idle(), "there is an end")
        } else {
            #expect(await poll { harness.target("crm").received.count > sent + 20 })
        }
        #expect(incidents.all.count == reported)
        #expect(log.statistics().system == Int64(reported))
    }
}
