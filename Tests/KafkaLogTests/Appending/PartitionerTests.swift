import EventLog
import Events
import Testing

@testable import KafkaLog

@Suite struct PartitionerTests {
    @Test(
        "Keys are hashed as Kafka's own clients hash them",
        arguments: [
            ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
        ] as [(String, Int32)])
    func hashes(key: String, hash: Int32) {
        #expect(Int32(bitPattern: Partitioner.murmur2(Array(key.utf8))) == hash)
    }

    @Test("An empty key has a partition, and every partition is one of the topic's")
    func bounds() {
        #expect(0..<6 ~= Partitioner.partition(ofKey: [], count: 6))
        let used = Set((0..<500).map { Partitioner.partition(ofKey: Array("4567/\($0)".utf8), count: 6) })
        #expect(used == Set(0..<6))
    }

    @Test("An id is known until twice as many, or twice the window, have come after it")
    func recentPlaces() {
        var places = RecentPlaces(capacity: 1000, windowNanoseconds: 100)
        func id(_ number: Int) -> EventID { EventID(high: UInt64(number), low: 0) }
        places.add(id(1), place: nil, now: 0)
        #expect(places.contains(id(1), now: 0) && places.place(of: id(1)) == nil)
        places.add(id(1), place: .init(partition: 215, offset: 1 << 40), now: 0)
        #expect(places.place(of: id(1)) == .init(partition: 215, offset: 1 << 40) && places.count == 1)
        for number in 2..<10_000 { places.add(id(number), place: .init(partition: 0, offset: 0), now: 1) }
        #expect(!places.contains(id(1), now: 1) && places.count <= 1000)
        #expect(places.contains(id(9999), now: 1) && places.contains(id(9501), now: 1))
        #expect(places.contains(id(9999), now: 100))
        #expect(!places.contains(id(9999), now: 500))
    }
}
