import EventLog
import Events
import Kafka
import KafkaLog
import Targets
import Testing

@testable import Delivery
@testable import KafkaDelivery

@Suite("The records of the state topics")
struct StateRecordTests {
    private let layout = LogLayout(prefix: "gatehouse.test", partitions: 3)

    private func id(_ random: inout SeededRandom) -> EventID { EventID(high: random.next(), low: random.next()) }

    private func place(_ random: inout SeededRandom) -> RecordPlace {
        RecordPlace(
            partition: Int32.random(in: 0..<Int32(layout.count), using: &random), offset: random.number())
    }

    private func stamp(_ random: inout SeededRandom) -> RecordStamp {
        RecordStamp(epoch: random.number(), number: random.number())
    }

    /// As it comes back from a broker.
    private func message(_ record: KafkaRecord) -> KafkaMessage {
        KafkaMessage(
            topic: record.topic, partition: record.partition ?? 0, offset: 7, timestampMs: record.timestampMs,
            key: record.key, value: record.value, headers: record.headers)
    }

    private func open(_ place: RecordPlace, _ random: inout SeededRandom) -> RestoredTarget.OpenRecord {
        RestoredTarget.OpenRecord(
            place: place, id: id(&random), type: random.text(), source: random.text(), receivedAtMs: random.number(),
            routes: RouteSet(id: 0, names: (0..<3).map { _ in random.text() }),
            tries: Int.random(in: 0...9, using: &random), counted: Int.random(in: 0...9, using: &random),
            firstTriedAtMs: random.number(), nextAtMs: random.number(), reason: random.text(),
            key: random.maybe(random.next()), requeuedAtMs: random.maybe(random.number()))
    }

    @Test("an open event comes back from the retry topic as it went there", arguments: 1...200 as ClosedRange<UInt64>)
    func retry(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let place = place(&random)
        let record = open(place, &random)
        let payload = random.bytes()
        let key = StateKey(record.id, replay: random.maybe(random.number()), place: random.maybe(place))
        let stamp = stamp(&random)
        let written = RetryRecord(
            key, stamp, place, .open(.init(record, wasDead: Bool.random(using: &random), payload: payload)))
        let read = try StateDecoder(layout).retry(message(written.encoded(topic: "r", partition: 1, layout)))
        #expect(read.key == key && read.stamp == stamp && read.place == place)
        guard case .open(let open) = read.content, case .open(let original) = written.content else {
            Issue.record("it is no open event any more")
            return
        }
        #expect(open.payload == payload && open.wasDead == original.wasDead && open.routes == record.routes.names)
        let back = open.record
        #expect(back.type == record.type && back.source == record.source && back.reason == record.reason)
        #expect(back.receivedAtMs == record.receivedAtMs && back.firstTriedAtMs == record.firstTriedAtMs)
        #expect(back.tries == record.tries && back.counted == record.counted && back.nextAtMs == record.nextAtMs)
        #expect(back.key == record.key && back.requeuedAtMs == record.requeuedAtMs && back.size == payload.count)
        #expect(back.id == record.id && back.place == place)
    }

    @Test("how an event ended comes back, from either topic", arguments: RecordEnding.allCases)
    func endings(ending: RecordEnding) throws {
        var random = SeededRandom(5)
        let place = place(&random)
        let key = StateKey(id(&random))
        let stamp = RecordStamp(epoch: 3, number: 9)
        let retry = RetryRecord(key, stamp, place, .ended(ending)).encoded(topic: "r", partition: 0, layout)
        #expect(retry.value == nil)
        let readRetry = try StateDecoder(layout).retry(message(retry))
        guard case .ended(ending) = readRetry.content else {
            Issue.record("it has become \(readRetry.content)")
            return
        }
        let dead = DeadRecord(key, stamp, place, .ended(ending)).encoded(topic: "d", partition: 0, layout)
        #expect(dead.value == nil)
        let readDead = try StateDecoder(layout).dead(message(dead))
        guard case .ended(ending) = readDead.content else {
            Issue.record("it has become \(readDead.content)")
            return
        }
        #expect(readDead.stamp == stamp && readDead.place == place && readDead.key == key)
    }

    @Test("a dead letter comes back as it went", arguments: 1...200 as ClosedRange<UInt64>)
    func dead(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let place = place(&random)
        let letter = DeadLetter(
            place: place, id: id(&random), type: random.text(), source: random.text(), receivedAtMs: random.number(),
            routes: random.maybe(RouteSet(id: 4, names: [random.text(), random.text()])), atMs: random.number(),
            reason: random.text(), attempts: 5, status: random.maybe(422), message: random.text(),
            response: random.bytes(), payload: .text(random.bytes()))
        let written = DeadRecord(StateKey(letter.id), stamp(&random), place, .letter(letter))
        let read = try StateDecoder(layout).dead(message(written.encoded(topic: "d", partition: 2, layout)))
        let back = try #require(read.letter)
        #expect(back.id == letter.id && back.place == place && back.type == letter.type && back.source == letter.source)
        #expect(back.routes?.names == letter.routes?.names && back.reason == letter.reason)
        #expect(back.receivedAtMs == letter.receivedAtMs && back.atMs == letter.atMs && back.status == letter.status)
        #expect(back.message == letter.message && back.response == letter.response && back.attempts == 5)
        guard case .text(let text) = back.payload, case .text(let original) = letter.payload else {
            Issue.record("it has no text")
            return
        }
        #expect(text == original)
    }

    @Test("a dead letter's message is cut between characters, and its header stays small")
    func longMessage() throws {
        let letter = DeadLetter(
            place: RecordPlace(partition: 0, offset: 1), id: EventID(high: 1, low: 2), type: "t", source: "s",
            receivedAtMs: 1, routes: nil, atMs: 2, reason: "r", attempts: 1, status: nil,
            message: String(repeating: "é", count: 100_000), response: Array(repeating: 0xFF, count: 100_000),
            payload: .text([1]))
        let record = DeadRecord(StateKey(letter.id), .none, letter.place, .letter(letter))
        let encoded = record.encoded(topic: "d", partition: 0, layout)
        #expect(encoded.headers[0].value.count < 32 << 10)
        let message = try #require(try StateDecoder(layout).dead(message(encoded)).letter?.message)
        #expect(message.allSatisfy { $0 == "é" } && message.utf8.count == DeadRecord.maximumMessage)
    }

    @Test("an attempt comes back with what was sent and answered", arguments: 1...200 as ClosedRange<UInt64>)
    func attempt(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let answer = Answer(
            headerLines: Array("Set-Cookie: secret\r\nX-A: \(random.number())\r\n".utf8), body: random.bytes(),
            isCut: Bool.random(using: &random))
        let exchange = Exchange(
            random.bytes(), version: random.maybe(TargetVersion(hash: "abc", source: [1])),
            signedAtSeconds: random.maybe(random.number()), answer: random.maybe(answer),
            isKept: Bool.random(using: &random))
        let entry = HistoryEntry(
            place: place(&random), id: id(&random), type: random.text(), source: random.text(),
            receivedAtMs: random.number(), state: DeliveryState.allCases.randomElement(using: &random)!, attempts: 3,
            atMs: random.number(), status: random.maybe(503), reason: random.maybe(random.text()),
            durationMs: random.number(), nextAtMs: random.maybe(random.number()),
            routes: RouteSet(id: 0, names: [random.text()]), isAttempt: Bool.random(using: &random))
        let members = random.maybe([place(&random), place(&random)])
        let written = AttemptRecord(
            entry, target: random.text(), replay: random.maybe(random.number()), instance: random.text(),
            batch: random.maybe(random.text()), request: random.maybe(AttemptRecord.Request(exchange, members: members))
        )
        let read = try StateDecoder(layout).attempt(message(written.encoded(topic: "a", layout)))
        #expect(read.target == written.target && read.replay == written.replay && read.instance == written.instance)
        #expect(read.batch == written.batch && read.request == written.request)
        let back = read.entry
        #expect(back.place == entry.place && back.id == entry.id && back.type == entry.type)
        #expect(back.source == entry.source && back.receivedAtMs == entry.receivedAtMs && back.state == entry.state)
        #expect(back.attempts == entry.attempts && back.atMs == entry.atMs && back.status == entry.status)
        #expect(back.reason == entry.reason && back.durationMs == entry.durationMs && back.nextAtMs == entry.nextAtMs)
        #expect(back.routes.names == entry.routes.names && back.isAttempt == entry.isAttempt)
        guard let request = read.request else { return }
        let again = request.exchange(exchange.version)
        #expect(again.digest == exchange.digest && again.size == exchange.size && again.request == exchange.request)
        #expect(again.answer?.body == exchange.answer?.body)
        let header = String(decoding: again.answer?.headerLines ?? [], as: UTF8.self)
        #expect(!header.contains("secret"))
    }

    @Test("a commit's metadata comes back, holes and all", arguments: 1...200 as ClosedRange<UInt64>)
    func metadata(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let position = Int64.random(in: 0...1_000_000_000, using: &random)
        var metadata = CommitMetadata(start: random.number(), createdAtMs: random.number(), stamp: stamp(&random))
        metadata.counters.delivered = random.number()
        metadata.counters.filtered = random.number()
        metadata.counters.dead = random.number()
        metadata.counters.discarded = random.number()
        metadata.counters.expired = random.number()
        metadata.counters.system = random.number()
        metadata.counters.skipped = random.number()
        for reason in FilteredReason.allCases where random.chance(1, in: 2) {
            metadata.counters.refused[reason] = random.number()
        }
        let reach = min(position, Int64.random(in: 1...2000, using: &random))
        let part = Int.random(in: 0...10, using: &random)
        metadata.holes = (position - reach..<position).filter { _ in random.chance(part, in: 10) }
        guard let text = metadata.encoded(position: position) else {
            // Brokers would not take it.
            #expect(metadata.holes.count > 500)
            return
        }
        #expect(text.utf8.count <= CommitMetadata.maximumBytes)
        #expect(try CommitMetadata(text, position: position, StateDecoder(layout)) == metadata)
    }

    @Test(
        "offsets that no commit can mean are refused",
        arguments: [
            "", ",", "0", "-1", "1-", "1--2", "zzzzzzzzzzzzzz", "5,0-zzzzzz", "1-2", "5,", " 1", "6-6,5", "b",
        ])
    func wrongOffsets(text: String) {
        #expect(OffsetRuns.decode(text, before: 10, maximum: 100) == nil)
    }

    @Test("members that a later version has added are passed over")
    func unknownMembers() throws {
        let text = #"{"v":1,"s":3,"t":4,"new":{"a":[1]},"r":[1,2,3],"d":5}"#
        let read = try CommitMetadata(text, position: 9, StateDecoder(layout))
        #expect(read.start == 3 && read.counters.delivered == 5 && read.stamp == RecordStamp(epoch: 1, number: 2))
    }

    @Test(
        "what is no record is refused, and says why",
        arguments: [
            #"{"place":["gatehouse.test.visitor.signin",3,1],"ended":"delivered"}"#,
            #"{"place":["other.visitor.signin",0,1],"ended":"delivered"}"#,
            #"{"place":["gatehouse.test.visitor.signin",0,-1],"ended":"delivered"}"#,
            #"{"place":["gatehouse.test.visitor.signin",0,1],"ended":"eaten"}"#,
            #"{"place":["gatehouse.test.visitor.signin",0,1]}"#, #"{"ended":"delivered"}"#, "[]", "", "{", "null",
        ])
    func refused(header: String) {
        let message = KafkaMessage(
            topic: "r", partition: 0, offset: 0, key: Array(EventID(high: 1, low: 2).hex.utf8), value: nil,
            headers: [.init("gatehouse", header)])
        #expect(throws: StateRecordError.self) { try StateDecoder(layout).retry(message) }
        #expect(throws: StateRecordError.self) { try StateDecoder(layout).dead(message) }
    }

    @Test("bytes at random are refused, and nothing worse", arguments: 1...100 as ClosedRange<UInt64>)
    func noise(seed: UInt64) {
        var random = SeededRandom(seed)
        let message = KafkaMessage(
            topic: "r", partition: 0, offset: 0, key: random.bytes(), value: random.bytes(),
            headers: [.init("gatehouse", random.bytes())])
        let decoder = StateDecoder(layout)
        #expect(throws: StateRecordError.self) { try decoder.retry(message) }
        #expect(throws: StateRecordError.self) { try decoder.dead(message) }
        #expect(throws: StateRecordError.self) { try decoder.attempt(message) }
        #expect(throws: StateRecordError.self) { try CursorBackup(random.bytes(), decoder) }
    }

    @Test("keys of the control topic come back, and others are none")
    func controlKeys() {
        let keys: [ControlKey] = [
            .target("crm"), .command("c1"), .result("c1", 4), .replay(target: "crm", number: 12),
            .replayCursor(target: "crm", number: 12), .version("ab12"), .instance("gate-1"),
            .cursor(target: "crm", shard: 5),
        ]
        for key in keys { #expect(ControlKey("\(key)") == key) }
        for text in ["", "target", "target/", "cursor/crm", "cursor/crm/x", "other/1", "replay/12"] {
            #expect(ControlKey(text) == nil)
        }
    }

    @Test("values of the control topic come back", arguments: 1...50 as ClosedRange<UInt64>)
    func controlValues(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let decoder = StateDecoder(layout)
        let target = TargetRecord(
            type: random.text(), destination: random.text(), isPaused: Bool.random(using: &random),
            disabledReason: random.maybe(random.text()), isRemoved: Bool.random(using: &random), writer: random.text(),
            atMs: random.number())
        #expect(try TargetRecord(target.encoded(layout), decoder) == target)
        let backup = CursorBackup(
            atMs: random.number(),
            commits: [
                TopicPartition(topic: random.text(), partition: 3): KafkaCommit(
                    offset: random.number(), metadata: random.text()),
                TopicPartition(topic: "x", partition: 0): KafkaCommit(offset: 0, metadata: #"{"v":1}"#),
            ])
        #expect(try CursorBackup(backup.encoded(layout), decoder) == backup)
        var cursor = TargetCursor(position: .none(count: layout.count))
        cursor.holes = [place(&random)]
        cursor.counters.skipped = random.number()
        cursor.counters.refused[.optedOut] = random.number()
        cursor.failingSinceMs = random.maybe(random.number())
        let replay = ReplayCursorRecord(cursor: cursor, stamp: stamp(&random))
        #expect(try ReplayCursorRecord(replay.encoded(layout), decoder) == replay)
        let place = place(&random)
        let command = CommandRecord(
            action: random.text(), target: random.text(),
            items: [.init(key: StateKey(id(&random), replay: 3, place: place), place: place)], by: random.text(),
            atMs: random.number(), arguments: random.maybe(Array(#"{"a":[1,"b"]}"#.utf8)))
        #expect(try CommandRecord(command.encoded(layout), decoder) == command)
        let result = ResultRecord(
            instance: random.text(), done: 5, failure: random.maybe(random.text()), atMs: random.number())
        #expect(try ResultRecord(result.encoded(layout), decoder) == result)
        let instance = InstanceRecord(
            startedAtMs: random.number(), atMs: random.number(), version: random.text(), spooled: random.number(),
            hasEnded: Bool.random(using: &random))
        #expect(try InstanceRecord(instance.encoded(layout), decoder) == instance)
    }
}
