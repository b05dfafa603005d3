import EventLog
import Events
import Foundation
import JSON
import Logging
import Metrics
import Synchronization
import Testing
import Vendors

@testable import Ingest

/// A queue that a test asks; `#expect` takes no mutating calls.
private final class Queue {
    private var queue: IncidentQueue

    init(maximumKinds: Int = 1000) { queue = IncidentQueue(maximumKinds: maximumKinds) }

    func add(_ incident: Incident, _ nowMs: Int64) -> Bool { queue.add(incident, nowMs) }
    func takeDue(_ nowMs: Int64, hurries: Bool = false) -> [Incident] { queue.takeDue(nowMs, hurries: hurries) }
    var dueMs: Int64? { queue.dueMs }
}

@Suite("Incidents on their way") struct IncidentQueueTests {
    private static func dead(_ reason: String = "http_422", target: String = "crm", count: Int64 = 1) -> Incident {
        Incident(.systemDeadLetter, target: target, reason: reason, count: count)
    }

    @Test("a flood of dead letters is one event a minute, with their number")
    func flood() {
        let queue = Queue()
        var told: [Int64] = []
        for ms in Int64(0)..<600_000 where ms % 10 == 0 {
            #expect(queue.add(Self.dead(), ms))
            told += queue.takeDue(ms).map(\.count)
        }
        told += queue.takeDue(600_000, hurries: true).map(\.count)
        #expect(told.count == 11)
        #expect(told.reduce(0, +) == 60_000, "none is left out of the counts")
    }

    @Test("dead letters of other targets and for other reasons are told of by themselves")
    func apart() {
        let queue = Queue()
        for incident in [Self.dead(), Self.dead("http_400"), Self.dead(target: "siem"), Self.dead(count: 4)] {
            #expect(queue.add(incident, 5))
        }
        #expect(queue.takeDue(6).isEmpty, "the first waits for the others of its swarm")
        #expect(queue.dueMs == 5 + IncidentQueue.gatheringMs)
        let due = queue.takeDue(2000)
        #expect(
            Set(due.map { "\($0.target ?? "") \($0.reason ?? "") \($0.count)" }) == [
                "crm http_422 5", "crm http_400 1", "siem http_422 1",
            ])
        #expect(queue.dueMs == nil)
    }

    @Test("anything else is told of at once, and again no sooner than in a minute")
    func atOnce() {
        let queue = Queue()
        let disabled = Incident(.systemTargetDisabled, target: "crm", reason: "http_410")
        #expect(queue.add(disabled, 0))
        #expect(queue.takeDue(0) == [disabled])
        #expect(queue.add(disabled, 1) && queue.add(disabled, 2))
        #expect(queue.takeDue(59_999).isEmpty)
        #expect(queue.takeDue(60_000).map(\.count) == [2])
    }

    @Test("how things stand is not added up")
    func standing() {
        let queue = Queue()
        for count in [Int64(10), 30] { _ = queue.add(Incident(.systemLogFilling, reason: "full", count: count), 0) }
        #expect(queue.takeDue(0).map(\.count) == [30])
    }

    @Test("there is an end to what it holds, and room again when kinds have rested")
    func bound() {
        let queue = Queue(maximumKinds: 3)
        for number in 0..<3 { #expect(queue.add(Self.dead("r\(number)"), 0)) }
        #expect(!queue.add(Self.dead("r3"), 0))
        #expect(queue.add(Self.dead("r2"), 0), "one of a kind that is held adds to it")
        #expect(queue.takeDue(1000).count == 3)
        #expect(!queue.add(Self.dead("r3"), 30_000))
        #expect(queue.add(Self.dead("r3"), 61_000))
    }
}

@Suite("Events of Gatehouse's own") struct SystemEventTests {
    private static func page(_ metrics: MetricsRegistry) -> [Substring] { metrics.render().split(separator: "\n") }

    private static func event(_ record: NewRecord) throws -> EventView {
        try #require(try EventView(parsing: record.payload, with: JSONParser()))
    }

    @Test("say what happened in the shape of any event, and fit its schema's types", arguments: Vendors.own.events)
    func samples(_ sample: VendorEvent) throws {
        let source = SourceConfiguration(
            name: "gatehouse", vendor: Vendors.own, authentication: SourceAuthentication(), maximumBody: 0,
            settings: DecodeSettings(source: "gatehouse"))
        let payload = try #require(
            try Normaliser(source: source, sites: SiteDirectory()).normalise(Array(sample.sample.utf8)).first)
        let event = try #require(try EventView(parsing: payload, with: JSONParser()))
        #expect(event.type == sample.name && event.type == sample.type.rawValue)
        #expect(event.text(.vendor) == "gatehouse" && event.text(.source) == "gatehouse")
        #expect(event.attribute("source") == "/sources/gatehouse")
        #expect(event.attribute("time") == "2024-07-30T01:49:27.069Z")
        let about: [EventField] = [.systemTarget, .systemSource, .systemTeam]
        #expect(about.count { event.value($0) != nil } == 1)
        #expect(event.text(.systemReason) != nil && event.value(.systemCount) != nil)
    }

    @Test("have a sample for each of their types")
    func complete() {
        #expect(Vendors.own.events.map(\.type) == CanonicalType.allCases.filter(\.isSystem))
        #expect(!Vendors.all.contains { $0.name == Vendors.own.name })
    }

    @Test("an occurrence that is known is the same event in every run; others never are")
    func occurrences() throws {
        var builders = [SystemEventBuilder(run: 1), SystemEventBuilder(run: 2)]
        let silent = Incident(.systemSourceSilent, source: "london", occurrence: "17")
        let (now, later) = (Timestamp(milliseconds: 1), Timestamp(milliseconds: 99))
        let same = [builders[0].record(silent, at: now)?.id, builders[1].record(silent, at: later)?.id]
        #expect(same[0] != nil && same[0] == same[1])
        let dead = Incident(.systemDeadLetter, target: "crm", reason: "http_422")
        var ids: [EventID?] = []
        for run in [0, 0, 1, 1] { ids.append(builders[run].record(dead, at: now)?.id) }
        #expect(Set(ids).count == 4)
    }

    @Test("are written when they are raised, and what is raised last is written before the end")
    func written() throws {
        let log = GatedLog()
        let metrics = MetricsRegistry()
        let events = SystemEvents(log: log, metrics: metrics, logger: .init { _ in })
        events.raise(Incident(.systemTargetDisabled, target: "crm", reason: "http_410"))
        #expect(waitUntil { log.records.count == 1 })
        events.raise(Incident(.systemDeadLetter, target: "crm", reason: "http_422", count: 3))
        events.stop()
        #expect(log.records.map(\.type) == ["system.target_disabled", "system.dead_letter"])
        let letter = try Self.event(log.records[1])
        #expect(letter.text(.systemCount) == "3" && letter.text(.systemTarget) == "crm")
        #expect(Self.page(metrics).contains(#"gatehouse_system_events_total{type="system.dead_letter"} 1"#))
        events.raise(Incident(.systemDeadLetter, target: "crm", reason: "http_422"))
        #expect(Self.page(metrics).contains(#"gatehouse_system_events_lost_total{type="system.dead_letter"} 1"#))
    }

    @Test("that the log cannot take are tried again, as the same event")
    func again() {
        let log = GatedLog()
        log.fail(LogFailure(.full, "full"))
        let events = SystemEvents(log: log, metrics: MetricsRegistry(), logger: .init { _ in })
        events.raise(Incident(.systemBreakerOpened, target: "crm", reason: "timeout", occurrence: "1"))
        log.fail(nil)
        #expect(waitUntil { log.records.count == 1 })
        events.raise(Incident(.systemBreakerOpened, target: "crm", reason: "timeout", occurrence: "1"))
        events.stop()
        #expect(log.records.count == 1)
    }

    private func waitUntil(_ condition: () -> Bool) -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if condition() { return true }
            Thread.sleep(forTimeInterval: 0.005)
        }
        return condition()
    }
}

private final class Silence {
    private var watch: SilenceWatch

    init(startMs: Int64) { watch = SilenceWatch(startMs: startMs) }

    func adopt(_ sources: [SourceConfiguration], _ statistics: LogStatistics, nowMs: Int64, wallMs: Int64) {
        watch.adopt(sources, statistics, nowMs: nowMs, wallMs: wallMs)
    }

    func look(_ statistics: LogStatistics, nowMs: Int64) -> [Incident] { watch.look(statistics, nowMs: nowMs) }
    var silent: [(source: String, isSilent: Bool)] { watch.silent }

    func suspects(_ statistics: LogStatistics, nowMs: Int64, includesTold: Bool = false) -> [String] {
        watch.suspects(statistics, nowMs: nowMs, includesTold: includesTold)
    }

    func heard(_ source: String, agoMs: Int64, nowMs: Int64) { watch.heard(source, agoMs: agoMs, nowMs: nowMs) }
}

@Suite("Watching for silence") struct SilenceWatchTests {
    private static let hour: Int64 = 3_600_000

    private static func source(_ name: String = "london", every hours: Int64? = 24) -> SourceConfiguration {
        SourceConfiguration(
            name: name, vendor: Vendors.own, authentication: SourceAuthentication(), maximumBody: 0,
            settings: DecodeSettings(source: name), expectEvery: hours.map { .seconds($0 * 3600) })
    }

    private static func statistics(_ accepted: Int64, lastMs: Int64?) -> LogStatistics {
        var statistics = LogStatistics()
        var source = LogStatistics.Source()
        source.accepted = accepted
        source.lastAcceptedMs = lastMs
        statistics.sources["london"] = source
        return statistics
    }

    @Test("a source is told of once when it was silent for longer than expected, and again after it has spoken")
    func once() {
        let watch = Silence(startMs: 0)
        watch.adopt([Self.source()], Self.statistics(1, lastMs: 5), nowMs: 0, wallMs: 5)
        let hour = Self.hour
        func look(_ hours: Int64, _ accepted: Int64) -> [Incident] {
            watch.look(Self.statistics(accepted, lastMs: 5 + accepted), nowMs: hours * hour)
        }
        #expect(look(24, 1).isEmpty)
        let silent = look(25, 1)
        #expect(silent.map(\.source) == ["london"] && silent.first?.count == 25 * 3600)
        #expect(watch.silent.map(\.isSilent) == [true])
        #expect(look(26, 1).isEmpty && look(200, 1).isEmpty)
        #expect(look(201, 2).isEmpty)
        #expect(watch.silent.map(\.isSilent) == [false])
        let again = look(226, 2)
        #expect(again.count == 1 && again.first?.occurrence != silent.first?.occurrence)
    }

    @Test("a source that another instance has heard of is not silent, until it is silent there too")
    func heardElsewhere() {
        let watch = Silence(startMs: 0)
        let here = Self.statistics(1, lastMs: 5)
        watch.adopt([Self.source()], here, nowMs: 0, wallMs: 5)
        let hour = Self.hour
        #expect(watch.suspects(here, nowMs: 24 * hour).isEmpty)
        #expect(watch.suspects(here, nowMs: 25 * hour) == ["london"])
        watch.heard("london", agoMs: 10 * hour, nowMs: 25 * hour)
        #expect(watch.suspects(here, nowMs: 25 * hour).isEmpty && watch.look(here, nowMs: 25 * hour).isEmpty)
        #expect(watch.look(here, nowMs: 39 * hour).isEmpty)
        #expect(watch.look(here, nowMs: 40 * hour).map(\.count) == [25 * 3600])
        // What was told of may be asked for again, and was wrong.
        #expect(watch.suspects(here, nowMs: 41 * hour).isEmpty)
        #expect(watch.suspects(here, nowMs: 41 * hour, includesTold: true) == ["london"])
        watch.heard("london", agoMs: 0, nowMs: 41 * hour)
        #expect(watch.look(here, nowMs: 41 * hour).isEmpty && watch.silent.map(\.isSilent) == [false])
        watch.heard("london", agoMs: 30 * hour, nowMs: 42 * hour)
        #expect(watch.suspects(here, nowMs: 42 * hour).isEmpty, "what is older does not make it silent")
    }

    @Test("a restart counts from the last event, leaves senders a minute, and tells of the same silence")
    func restart() {
        let wall: Int64 = 1_700_000_000_000
        let silent = Self.statistics(1, lastMs: wall - 30 * Self.hour)
        let first = Silence(startMs: 7)
        first.adopt([Self.source()], silent, nowMs: 7, wallMs: wall)
        #expect(first.look(silent, nowMs: 7 + 59_999).isEmpty)
        let told = first.look(silent, nowMs: 7 + 60_000)
        #expect(told.count == 1)
        let second = Silence(startMs: 900)
        second.adopt([Self.source()], silent, nowMs: 900, wallMs: wall + Self.hour)
        #expect(second.look(silent, nowMs: 900 + 60_000).map(\.occurrence) == told.map(\.occurrence))
    }

    @Test("a source that never had an event is counted from the program's start")
    func never() {
        let watch = Silence(startMs: 1000)
        let none = LogStatistics()
        watch.adopt([Self.source(every: 1), Self.source("quiet", every: nil)], none, nowMs: 1000, wallMs: 9)
        #expect(watch.look(none, nowMs: 1000 + Self.hour).isEmpty)
        #expect(watch.look(none, nowMs: 1001 + Self.hour).map(\.reason) == ["never_heard"])
        #expect(watch.silent.map(\.source) == ["london"], "who is not expected is not watched")
    }

    @Test("the wall clock may jump as it likes")
    func jump() {
        let watch = Silence(startMs: 0)
        watch.adopt([Self.source()], Self.statistics(1, lastMs: 5), nowMs: 0, wallMs: 5)
        // Events that seem to be of long ago, or of the future.
        for (accepted, last) in [(Int64(2), Int64(-90_000_000_000)), (3, 90_000_000_000_000)] {
            #expect(watch.look(Self.statistics(accepted, lastMs: last), nowMs: accepted * 20 * Self.hour).isEmpty)
        }
        #expect(watch.look(Self.statistics(3, lastMs: 90_000_000_000_000), nowMs: 85 * Self.hour).count == 1)
    }

    @Test("a reload keeps what is known, takes a longer patience over, and forgets who is not expected any more")
    func reload() {
        let watch = Silence(startMs: 0)
        let heard = Self.statistics(1, lastMs: 0)
        watch.adopt([Self.source()], heard, nowMs: 0, wallMs: 0)
        #expect(watch.look(heard, nowMs: 25 * Self.hour).count == 1)
        watch.adopt([Self.source(every: 48)], heard, nowMs: 26 * Self.hour, wallMs: 0)
        #expect(watch.look(heard, nowMs: 26 * Self.hour).isEmpty && watch.silent.map(\.isSilent) == [false])
        #expect(watch.look(heard, nowMs: 49 * Self.hour).count == 1)
        watch.adopt([Self.source(every: nil)], heard, nowMs: 50 * Self.hour, wallMs: 0)
        #expect(watch.silent.isEmpty)
    }
}

@Suite("Watching the log's space") struct LogFillWatchTests {
    @Test("is told of from 80 % of unfinished events on, and again only after they fell below 70 %")
    func hysteresis() {
        var watch = LogFillWatch()
        var told: [Int64] = []
        for percent: Int64 in [10, 79, 80, 99, 81, 70, 85, 69, 75, 90, 91] {
            if watch.look(unfinished: percent, kept: 100, bytes: 1000, limit: 1000) { told.append(percent) }
        }
        #expect(told == [80, 90])
    }

    @Test("finished events are none of it: retention removes them when space is needed")
    func finished() {
        var watch = LogFillWatch()
        let told = [
            watch.look(unfinished: 10, kept: 100, bytes: 1000, limit: 1000),
            watch.look(unfinished: 0, kept: 0, bytes: 1000, limit: 1000),
            watch.look(unfinished: 100, kept: 100, bytes: 1000, limit: 0),
        ]
        #expect(told == [false, false, false])
    }
}
