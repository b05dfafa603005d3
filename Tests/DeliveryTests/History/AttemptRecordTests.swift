import EventLog
import Targets
import Testing

@testable import Delivery

@Suite("What a target's state tells of attempts")
struct AttemptRecordTests {
    private func exchange(_ text: String) -> Exchange { Exchange(Array(text.utf8), version: nil, isKept: false) }

    @Test("an event that is given up dies of that, and its attempts failed by what they failed by")
    func giveUp() throws {
        var driver = TargetDriver(events: 10) { $0.giveUpAfterMs = 60_000 }
        driver.run(forMs: 200_000) { _ in failure("connect_refused", .target) }
        let dead = driver.history.filter { $0.state == .dead }
        try #require(!dead.isEmpty)
        #expect(dead.allSatisfy { $0.reason == "gave_up" && !$0.isAttempt })
        let attempts = driver.history.filter(\.isAttempt)
        #expect(attempts.allSatisfy { $0.reason == "connect_refused" && $0.state == .pending })
        for letter in dead {
            let numbers = attempts.filter { $0.place == letter.place }.map(\.attempts)
            #expect(numbers == Array(1...letter.attempts), "each attempt is told once")
        }
    }

    @Test("one exchange of all events is a batch; exchanges of their own are none")
    func shared() {
        let one = DeliveryOutcome.delivered(DeliveryReceipt(duration: .zero, bytes: 1, exchange: exchange("a")))
        let other = DeliveryOutcome.delivered(DeliveryReceipt(duration: .zero, bytes: 1, exchange: exchange("a")))
        let silent = failure("no_result", .target)
        #expect(BatchOutcome.all(one).sharedExchange != nil)
        #expect(BatchOutcome.each([one, silent, one]).sharedExchange != nil)
        #expect(BatchOutcome.each([one, other]).sharedExchange == nil)
        #expect(BatchOutcome.each([silent]).sharedExchange == nil)
    }

    @Test("a batch's events name the request they went in, in the order they were sent")
    func batch() throws {
        var driver = TargetDriver(events: 3) {
            $0.batch = BatchPolicy(maximumEvents: 3, maximumBytes: 1 << 20, everyMs: 0)
        }
        driver.read()
        let request = driver.state.nextRequest(driver.now)
        try #require(request.count == 3)
        let outcome = DeliveryOutcome.delivered(DeliveryReceipt(duration: .zero, bytes: 1, exchange: exchange("abc")))
        driver.state.finish(request.map(\.ticket), .all(outcome), driver.now)
        driver.commit()
        let batches = driver.history.compactMap(\.batch)
        #expect(batches.count == 3 && batches.allSatisfy { $0 === batches[0] })
        #expect(batches.first?.places.map(\.offset) == [0, 1, 2])
        #expect(driver.state.batchUnderway == nil)
    }
}
