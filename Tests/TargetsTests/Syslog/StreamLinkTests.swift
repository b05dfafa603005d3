import Testing

@testable import Targets

@Suite("The link to a stream")
struct StreamLinkTests {
    private typealias Link = StreamLink<String, Int>

    @Test("connects for the first message and writes what waited, in order")
    func connects() {
        var link = Link()
        #expect(link.send(1) == .connect(generation: 1))
        #expect(link.send(2) == .wait)
        #expect(link.connected("a", generation: 1) == .write("a", [1, 2]))
        #expect(link.send(3) == .write("a", 3))
    }

    @Test("fails what waited when there is no connection, and tries anew with the next message")
    func fails() {
        var link = Link()
        _ = link.send(1)
        _ = link.send(2)
        #expect(link.failed(generation: 1) == [1, 2])
        #expect(link.send(3) == .connect(generation: 2))
    }

    @Test("connects again after a break, and heeds no word about an old connection")
    func breaks() {
        var link = Link()
        _ = link.send(1)
        _ = link.connected("a", generation: 1)
        link.lost(generation: 1)
        #expect(link.send(2) == .connect(generation: 2))
        link.lost(generation: 1)
        #expect(link.failed(generation: 1) == [])
        #expect(link.connected("late", generation: 1) == .discard("late"))
        #expect(link.connected("b", generation: 2) == .write("b", [2]))
        link.lost(generation: 1)
        #expect(link.send(3) == .write("b", 3))
    }

    @Test("after a break that is watched refuses until it is settled what became of the messages")
    func held() {
        var link = Link()
        _ = link.send(1)
        _ = link.connected("a", generation: 1)
        link.lost(generation: 1, isHeld: true)
        #expect(link.send(2) == .refuse(2, .broken))
        link.settle(generation: 2)
        #expect(link.send(2) == .refuse(2, .broken))
        link.settle(generation: 1)
        #expect(link.send(3) == .connect(generation: 2))
    }

    @Test("once closed refuses, gives back what waited and discards a connection that comes late")
    func closes() {
        var link = Link()
        _ = link.send(1)
        #expect(link.close().waiting == [1])
        #expect(link.send(2) == .refuse(2, .closed))
        #expect(link.connected("a", generation: 1) == .discard("a"))
        link.lost(generation: 1)
        #expect(link.send(3) == .refuse(3, .closed))

        var open = Link()
        _ = open.send(1)
        _ = open.connected("a", generation: 1)
        #expect(open.close().stream == "a")
        #expect(open.close().stream == nil)
    }

    @Test("lets only so many messages wait")
    func bounded() {
        var link = Link()
        var refused = 0
        for message in 0..<5000 {
            if case .refuse(_, .full) = link.send(message) { refused += 1 }
        }
        #expect(refused == 5000 - 4096)
        #expect(link.failed(generation: 1).count == 4096)
    }
}
