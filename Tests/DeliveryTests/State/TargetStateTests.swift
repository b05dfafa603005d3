import EventLog
import Targets
import Testing

@testable import Delivery

@Suite struct TargetStateTests {
    @Test("sends events in order, never more at once than the target's concurrency")
    func concurrency() {
        var driver = TargetDriver(events: 10)
        let first = driver.attempts()
        #expect(first.map(\.place.offset) == [0, 1, 2, 3])
        driver.finish(first[2], delivered)
        #expect(driver.attempts().map(\.place.offset) == [4])
        #expect(driver.state.inFlightCount == 4)
    }

    @Test("a commit names what is in flight, and after a crash only that is sent again")
    func holes() {
        var driver = TargetDriver(events: 6)
        let attempts = driver.attempts()
        driver.finish(attempts[1], delivered)
        driver.finish(attempts[3], delivered)
        driver.commit()
        #expect(driver.cursor.position.offsets == [4])
        #expect(Set(driver.cursor.holes.map(\.offset)) == [0, 2])
        #expect(driver.cursor.lowest.offsets == [0])

        driver.state = TargetState(
            RestoredTarget(cursor: driver.cursor), policy: driver.state.policy, driver.now, seed: 1)
        #expect(driver.attempts().isEmpty, "nothing new before the holes are filled")
        for hole in driver.state.holesToLoad {
            driver.state.fill(hole, with: driver.events[Int(hole.offset)], routes, driver.now)
        }
        #expect(Set(driver.run { _ in delivered }) == [0, 2, 4, 5])
        #expect(driver.state.counters.delivered == 6)
        #expect(driver.state.unfinishedBeforePosition == 0)
    }

    @Test("a hole whose event no route takes now is filtered, one that was erased is discarded")
    func holesThatChanged() {
        var driver = TargetDriver(events: 2)
        _ = driver.attempts()
        driver.commit()
        driver.state = TargetState(
            RestoredTarget(cursor: driver.cursor), policy: driver.state.policy, driver.now, seed: 1)
        driver.state.drop(driver.events[0].place, as: \.filtered)
        driver.state.drop(driver.events[1].place, as: \.discarded)
        #expect(driver.state.counters.filtered == 1)
        #expect(driver.state.counters.discarded == 1)
        #expect(driver.state.unfinishedBeforePosition == 0)
    }

    @Test("an event that is to blame is tried a few times and becomes a dead letter, and no other event waits for it")
    func poison() throws {
        var driver = TargetDriver(events: 20)
        let sent = driver.run(forMs: 600_000) { $0 == 3 ? badRequest : delivered }
        #expect(sent.count { $0 == 3 } == 5)
        #expect(sent.prefix(20).sorted() == Array(0..<20), "the others went out before its second try")
        let letter = try #require(driver.deadLetters.first)
        #expect(driver.deadLetters.count == 1)
        #expect(letter.place.offset == 3)
        #expect(letter.reason == "http_400")
        #expect(letter.attempts == 5)
        #expect(letter.status == 400)
        #expect(driver.state.counters.delivered == 19)
        #expect(driver.state.counters.dead == 1)
        #expect(driver.history.last { $0.place.offset == 3 }?.state == .dead)
    }

    @Test("while the target is down nothing becomes a dead letter, one event at a time probes it, ever less often")
    func outage() {
        var driver = TargetDriver(events: 100)
        var probes: [Int64] = []
        driver.run { _ in refused }
        let end = driver.now.monotonicMs + 3 * 86_400_000
        while let wake = driver.state.wakeMs(driver.now), wake < end {
            driver.now = driver.now.advanced(byMs: max(0, wake - driver.now.monotonicMs))
            let batch = driver.attempts()
            #expect(batch.count <= 1)
            for attempt in batch {
                probes.append(driver.now.monotonicMs)
                driver.finish(attempt, refused)
            }
        }
        #expect(driver.deadLetters.isEmpty)
        #expect(driver.state.counters.finished == 0)
        #expect(driver.state.backlog.isEmpty, "nothing is read ahead meanwhile")
        let gaps = zip(probes.dropFirst(), probes).map { $0 - $1 }
        #expect(gaps.allSatisfy { $0 <= 300_000 })
        #expect(gaps.suffix(100).reduce(0, +) / 100 > 60_000)
        #expect(probes.count > 100)

        driver.run(forMs: 900_000) { _ in delivered }
        #expect(driver.state.counters.delivered == 100)
        #expect(driver.state.unfinishedBeforePosition == 0)
    }

    @Test("a Retry-After is honoured although other events succeed meanwhile, and cut to the cap")
    func retryAfter() {
        var driver = TargetDriver(events: 4)
        let attempts = driver.attempts()
        driver.finish(attempts[0], failure("http_429", .target, status: 429, retryAfter: .seconds(90)))
        driver.finish(attempts[1], delivered)
        #expect(driver.state.wakeMs(driver.now) == driver.now.monotonicMs + 90_000)
        driver.finish(attempts[2], failure("http_503", .target, status: 503, retryAfter: .seconds(999_999)))
        #expect(driver.state.wakeMs(driver.now) == driver.now.monotonicMs + 3_600_000)
        #expect(driver.attempts().isEmpty)
    }

    @Test("a failure by the target's fault that only one event meets counts against that event")
    func alone() throws {
        var driver = TargetDriver(events: 2000)
        var next: Int64 = 0
        // Events trickle in, so that others succeed between the tries of the bad one.
        let all = driver.events
        driver.events = []
        while next < 2000 {
            driver.events = Array(all[0..<Int(next) + 1])
            driver.run(forMs: 100) { $0 == 5 ? serverError : delivered }
            driver.now = driver.now.advanced(byMs: 100)
            next += 1
        }
        let letter = try #require(driver.deadLetters.first)
        #expect(letter.place.offset == 5)
        #expect(letter.reason == "http_500")
        #expect(driver.state.counters.delivered == 1999)
    }

    @Test("several such events do not excuse each other, whatever the concurrency", arguments: [1, 4, 32])
    func several(concurrency: Int) {
        var driver = TargetDriver(events: 12000) { $0.concurrency = concurrency }
        let bad: Set<Int64> = [0, 1, 2, 50, 51, 700]
        let all = driver.events
        for end in stride(from: 100, through: 12000, by: 100) {
            driver.events = Array(all[0..<end])
            driver.run(forMs: 20_000) { bad.contains($0) ? serverError : delivered }
            driver.now = driver.now.advanced(byMs: 20_000)
        }
        #expect(Set(driver.deadLetters.map(\.place.offset)) == bad)
        #expect(driver.state.counters.delivered == 11994)
    }

    @Test("a target that fails every second attempt at random loses nothing to the dead letters", arguments: 1...10)
    func flaky(seed: UInt64) {
        var driver = TargetDriver(events: 2000) { $0.concurrency = 8 }
        var random = SplitMix64(seed: seed)
        driver.run(forMs: 100 * 86_400_000) { _ in Bool.random(using: &random) ? delivered : serverError }
        #expect(driver.deadLetters.isEmpty)
        #expect(driver.state.counters.delivered == 2000)
    }

    @Test("410 switches the target off until somebody resumes it, restarts included")
    func gone() {
        var driver = TargetDriver(events: 10)
        let gone = failure("http_410", .gone, status: 410)
        driver.run { $0 == 2 ? gone : delivered }
        #expect(driver.state.disabledReason == "http_410")
        #expect(driver.attempts().isEmpty)
        driver.commit()
        driver.state = TargetState(
            RestoredTarget(cursor: driver.cursor), policy: driver.state.policy, driver.now, seed: 1)
        for hole in driver.state.holesToLoad {
            driver.state.fill(hole, with: driver.events[Int(hole.offset)], routes, driver.now)
        }
        #expect(driver.attempts().isEmpty)
        #expect(driver.state.wakeMs(driver.now) == nil)
        driver.state.resume()
        driver.run(forMs: 10_000) { _ in delivered }
        #expect(driver.state.counters.delivered == 10)
    }

    @Test("a paused target finishes what is in flight, reads nothing, and goes on where it was")
    func pause() {
        var driver = TargetDriver(events: 10)
        let attempts = driver.attempts()
        driver.state.pause()
        attempts.forEach { driver.finish($0, delivered) }
        #expect(driver.state.room(driver.now) == 0)
        #expect(driver.attempts().isEmpty)
        driver.state.resume()
        #expect(driver.run { _ in delivered } == [4, 5, 6, 7, 8, 9])
    }

    @Test("when the open set is full, the cursor waits")
    func fullOpenSet() {
        var driver = TargetDriver(events: 100) {
            $0.maximumOpen = 10
            $0.attempts = 1000
        }
        driver.run(forMs: 3_600_000) { _ in badRequest }
        #expect(driver.state.isOpenSetFull)
        #expect(driver.state.openCount == driver.state.policy.openLimit)
        #expect(driver.state.position.offsets == [Int64(driver.state.policy.openLimit)])
        driver.run(forMs: 3_600_000) { _ in delivered }
        #expect(driver.state.counters.delivered == 100)
    }

    @Test("while nobody gets through no event is to blame, though others did before and the open set is full")
    func outageOfFullSet() {
        var driver = TargetDriver(events: 100) { $0.maximumOpen = 1 }
        driver.run { $0 == 0 ? serverError : delivered }
        #expect(driver.state.isOpenSetFull)
        #expect(driver.state.counters.delivered > 0)
        driver.run(forMs: 86_400_000) { _ in refused }
        #expect(driver.deadLetters.isEmpty)
        driver.run(forMs: 3_600_000) { _ in delivered }
        #expect(driver.state.counters.delivered == 100)
    }

    @Test("a slow success of what was sent before tells nothing of an event that fails")
    func slowSuccess() {
        var driver = TargetDriver(events: 60) {
            $0.maximumOpen = 4
            $0.attempts = 1
            $0.failuresBeforeWaiting = 1000
        }
        let attempts = driver.attempts()
        #expect(attempts.count == 4)
        for attempt in attempts[1...] { driver.finish(attempt, refused) }
        driver.finish(attempts[0], delivered)
        driver.run(forMs: 3_600_000) { _ in refused }
        #expect(driver.state.isOpenSetFull)
        #expect(driver.deadLetters.isEmpty)
        driver.run(forMs: 3_600_000) { _ in delivered }
        #expect(driver.state.counters.delivered == 60)
    }

    @Test("more bad events than the open set holds do not keep good ones for ever", arguments: [1, 4, 32])
    func manyBad(concurrency: Int) {
        var driver = TargetDriver(events: 400) {
            $0.maximumOpen = 10
            $0.concurrency = concurrency
        }
        driver.run(forMs: 30 * 86_400_000) { $0 % 2 == 0 ? serverError : delivered }
        #expect(driver.state.position.offsets == [400])
        #expect(driver.state.counters.delivered == 200)
        #expect(driver.deadLetters.allSatisfy { $0.place.offset % 2 == 0 })
    }

    @Test("when commits fail, sending stops at a bound, and nothing is forgotten")
    func commitsFail() {
        var driver = TargetDriver(events: 100) { $0.maximumUncommitted = 20 }
        driver.run { _ in delivered }
        #expect(driver.state.uncommittedCount >= 20)
        #expect(driver.state.uncommittedCount <= 24)
        let change = driver.state.takeChange()
        driver.state.putBack(change)
        #expect(driver.state.isUncommittedFull)
        #expect(driver.state.room(driver.now) == 0)
        driver.commit()
        while driver.state.position.offsets[0] < 100 {
            driver.run { _ in delivered }
            driver.commit()
        }
        #expect(driver.history.map(\.place.offset).sorted() == Array(0..<100))
    }

    @Test("give_up_after makes dead letters of what a failing target could not take for so long, and of nothing else")
    func giveUp() {
        var driver = TargetDriver(events: 10) { $0.giveUpAfterMs = 60_000 }
        driver.run(forMs: 200_000) { _ in refused }
        #expect(!driver.deadLetters.isEmpty)
        #expect(driver.deadLetters.allSatisfy { $0.reason == "gave_up" })
        driver.run(forMs: 900_000) { _ in delivered }
        #expect(driver.state.counters.delivered + driver.state.counters.dead == 10)
    }

    @Test("events that waited too long for a target that is switched off become dead letters, unread ones too")
    func tooOld() {
        var driver = TargetDriver(events: 10)
        driver.run { $0 < 2 ? delivered : failure("http_410", .gone, status: 410) }
        let tooOld = Expiry(tooOldBeforeMs: driver.events[7].receivedAtMs, end: LogPosition(offsets: [7]))
        driver.state.expire(tooOld, driver.now)
        #expect(driver.state.room(driver.now) > 0)
        driver.read()
        #expect(driver.state.counters.dead == 5)
        #expect(driver.state.counters.delivered == 2)
        #expect(driver.state.position.offsets == [7])
        #expect(driver.deadLetters.allSatisfy { $0.reason == "too_old" })
        #expect(driver.state.room(driver.now) == 0)
    }

    @Test("an outcome that comes twice, or late, counts once")
    func repeatedOutcome() {
        var driver = TargetDriver(events: 2)
        let attempts = driver.attempts()
        driver.finish(attempts[0], delivered)
        driver.finish(attempts[0], badRequest)
        #expect(driver.state.counters.delivered == 1)
        #expect(driver.state.openCount == 0)
    }

    @Test("an event that cannot be read becomes a dead letter at once")
    func unreadable() {
        var driver = TargetDriver(events: 0)
        let place = RecordPlace(partition: 0, offset: 0)
        let broken = LoggedEvent(
            place: place, id: event(0).id, type: "other", source: "london", receivedAtMs: 0, payload: [1], view: nil)
        driver.state.take(broken, routes)
        driver.state.endRead(at: LogPosition(offsets: [1]), driver.now)
        #expect(driver.deadLetters.map(\.reason) == ["unreadable"])
        #expect(driver.state.position.offsets == [1])
    }

    @Test("system events are in no other counter, however they end")
    func systemEvents() {
        var driver = TargetDriver(events: 0)
        driver.events = [event(0, type: "system.started"), event(1), event(2, type: "system.stopped")]
        driver.run(forMs: 600_000) { $0 == 2 ? badRequest : delivered }
        driver.state.pass(RecordPlace(partition: 0, offset: 3), isSystem: true)
        driver.state.discard(RecordPlace(partition: 0, offset: 4), isSystem: true)
        driver.state.endRead(at: LogPosition(offsets: [5]), driver.now)
        #expect(driver.state.counters.system == 4)
        #expect(driver.state.counters.finished == 1)
    }

    @Test("what no route takes moves the position past it, in order with what is sent")
    func filtered() {
        var driver = TargetDriver(events: 0)
        func place(_ offset: Int64) -> RecordPlace { RecordPlace(partition: 0, offset: offset) }
        driver.state.pass(place(0))
        driver.state.take(event(1), routes)
        driver.state.pass(place(2))
        driver.state.pass(place(3))
        driver.state.lose(0, before: 9, count: 5)
        driver.state.endRead(at: LogPosition(offsets: [9]), driver.now)
        #expect(driver.state.position.offsets == [1])
        #expect(driver.state.counters.filtered == 1)
        let attempt = driver.attempts()
        #expect(attempt.count == 1)
        _ = driver.attempts()
        #expect(driver.state.position.offsets == [9])
        #expect(driver.state.counters.filtered == 3)
        #expect(driver.state.counters.expired == 5)
        #expect(driver.state.cursor.holes == [place(1)])
    }
}
