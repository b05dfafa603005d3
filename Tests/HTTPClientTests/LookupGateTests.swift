import TestSupport
import Testing

@testable import HTTPClient

@Suite struct LookupGateTests {
    @Test("Two look-ups of one name at once and no more; other names have their own two")
    func cap() {
        let gate = LookupGate()
        #expect(gate.begin("a"))
        #expect(gate.begin("a"))
        #expect(!gate.begin("a"))
        #expect(gate.begin("b"))
        #expect(gate.takeReleased(now: .now()).isEmpty)
        gate.end("a")
        #expect(gate.takeReleased(now: .now()) == ["a"])
        #expect(gate.begin("a"))
        #expect(!gate.begin("a"))
    }

    @Test("An abandoned look-up counts until the system's resolver has surely given up")
    func abandoned() {
        let gate = LookupGate()
        let start = MonotonicTime.now()
        #expect(gate.begin("a"))
        #expect(gate.begin("a"))
        gate.abandon("a", now: start)
        #expect(gate.takeReleased(now: start.advanced(by: .seconds(5))).isEmpty)
        #expect(!gate.begin("a"))
        #expect(gate.takeReleased(now: start.advanced(by: .seconds(11))) == ["a"])
        #expect(gate.begin("a"))
    }

    @Test("A queue gives back what it was given, in order, and what is taken out of its middle")
    func fifo() {
        var queue = FIFO<Int>()
        var expected: [Int] = []
        for number in 0..<5000 {
            queue.append(number)
            expected.append(number)
            if number % 3 == 0 { #expect(queue.popFirst() == expected.removeFirst()) }
        }
        #expect(queue.remove { $0 % 2 == 0 } == expected.filter { $0 % 2 == 0 })
        expected.removeAll { $0 % 2 == 0 }
        #expect(queue.count == expected.count)
        while let number = queue.popFirst() { #expect(number == expected.removeFirst()) }
        #expect(expected.isEmpty)
        #expect(queue.isEmpty)
    }

    @Test(
        "The host of a URL is read as libcurl reads it",
        arguments: [
            ("http://a.example", "a.example", 80), ("https://a.example/x:y@z", "a.example", 443),
            ("HTTP://a.example:8080?x", "a.example", 8080), ("https://[::1]:9/", "::1", 9), ("http://[::1]", "::1", 80),
            ("http://a#b:5", "a", 80),
        ])
    func authority(url: String, host: String, port: Int) throws {
        let parts = try #require(Authority.split(url))
        #expect(parts.host == host)
        #expect(parts.port == port)
    }
}
