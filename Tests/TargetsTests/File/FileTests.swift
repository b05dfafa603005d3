import Events
import Foundation
import Glibc
import JSON
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Targets

@Suite("A rotating file")
struct RotatingFileTests {
    private let folder = TemporaryDirectory()
    private static let opening = JSONFormat().lineOpening
    private static let noon = Timestamp("2026-01-31T12:00:00Z")!

    private var path: String { folder.file("out.ndjson") }

    private func file(_ rotation: FileRotation = FileRotation()) -> RotatingFile {
        RotatingFile(path: path, rotation: rotation, lineOpening: Self.opening)
    }

    private func line(_ number: Int, size: Int = 60) -> [UInt8] {
        let text = Self.opening + ",\"id\":\"\(number)\"}"
        return Array(text.utf8) + Array(repeating: 0x20, count: max(0, size - text.utf8.count - 1)) + [0x0A]
    }

    private func contents(_ name: String = "out.ndjson") -> String {
        (try? String(contentsOfFile: folder.file(name), encoding: .utf8)) ?? ""
    }

    private var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
    }

    @Test("is made with mode 0600 and only ever grows")
    func appends() throws {
        var file = file()
        #expect(file.append([line(1), line(2)], now: Self.noon) == (2, nil))
        #expect(file.append([line(3)], now: Self.noon) == (1, nil))
        #expect(contents() == [1, 2, 3].map { text(line($0)) }.joined())
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect((attributes[.posixPermissions] as? Int) == 0o600)
    }

    @Test("goes on after half a line of its own, which goes", arguments: [1, 5, 22, 23, 30, 59])
    func torn(length: Int) throws {
        try folder.write("out.ndjson", text(line(1)) + text(line(2)).prefix(length))
        var file = file()
        #expect(file.append([line(3)], now: Self.noon) == (1, nil))
        #expect(file.takeNotes() == [.removedTornLine(bytes: length)])
        #expect(contents() == text(line(1)) + text(line(3)))
    }

    @Test("finds the last line feed however far back it is")
    func longTornLine() throws {
        let torn = text(line(2)).prefix(40) + String(repeating: "y", count: 200_000)
        try folder.write("out.ndjson", text(line(1)) + torn)
        var file = file()
        #expect(file.append([line(3)], now: Self.noon) == (1, nil))
        #expect(contents() == text(line(1)) + text(line(3)))
    }

    @Test("takes nothing away that is not its own")
    func foreign() throws {
        try folder.write("out.ndjson", "{\"precious\": true}")
        var file = file()
        #expect(file.append([line(1)], now: Self.noon) == (1, nil))
        #expect(file.takeNotes() == [.completedForeignLine])
        #expect(contents() == "{\"precious\": true}\n" + text(line(1)))
    }

    @Test("is never a symbolic link, a folder or a pipe, before the start and later")
    func kinds() throws {
        let other = try folder.write("other", "untouched\n")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: other)
        #expect(throws: FileFailure.self) { try RotatingFile.check(path) }
        var linked = file()
        let result = linked.append([line(1)], now: Self.noon)
        #expect(result.written == 0 && result.failure?.code == "file_not_regular")
        #expect(result.failure?.message.contains("symbolic link") == true)
        #expect(contents("other") == "untouched\n")

        try FileManager.default.removeItem(atPath: path)
        #expect(unsafe mkfifo(path, 0o600) == 0)
        #expect(throws: FileFailure.self) { try RotatingFile.check(path) }
        var pipe = file()
        #expect(pipe.append([line(1)], now: Self.noon).failure?.code == "file_not_regular")

        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(throws: FileFailure.self) { try RotatingFile.check(path) }
        var directory = file()
        #expect(directory.append([line(1)], now: Self.noon).failure != nil)
    }

    @Test("needs a folder that is there")
    func missingFolder() throws {
        #expect(throws: FileFailure(code: "file_open", message: "/nowhere/at/all: No such file or directory")) {
            try RotatingFile.check("/nowhere/at/all/out.ndjson")
        }
        try RotatingFile.check(path)
    }

    @Test("has one writer")
    func locked() {
        var one = file()
        #expect(one.append([line(1)], now: Self.noon) == (1, nil))
        var other = file()
        #expect(other.append([line(2)], now: Self.noon).failure?.code == "file_locked")
        one.close()
        #expect(other.append([line(2)], now: Self.noon) == (1, nil))
        #expect(contents() == text(line(1)) + text(line(2)))
    }

    @Test("is begun anew when somebody moves it away, takes it out or cuts it")
    func moved() throws {
        var file = file()
        #expect(file.append([line(1)], now: Self.noon) == (1, nil))
        try FileManager.default.moveItem(atPath: path, toPath: folder.file("moved"))
        #expect(file.append([line(2)], now: Self.noon) == (1, nil))
        #expect(contents("moved") == text(line(1)) && contents() == text(line(2)))
        try FileManager.default.removeItem(atPath: path)
        #expect(file.append([line(3)], now: Self.noon) == (1, nil))
        #expect(contents() == text(line(3)))
        try #require(FileHandle(forWritingAtPath: path)).truncate(atOffset: 10)
        #expect(file.append([line(4)], now: Self.noon) == (1, nil))
        #expect(contents() == text(line(4)))
    }

    @Test("is put aside before a line would make it too large")
    func rotatesBySize() {
        var file = file(FileRotation(size: 200))
        let lines = (1...7).map { line($0) }
        #expect(file.append(lines, now: Self.noon) == (7, nil))
        #expect(names == ["out.ndjson", "out.ndjson.20260131T120000.000Z", "out.ndjson.20260131T120000.001Z"])
        #expect(contents("out.ndjson.20260131T120000.000Z") == [1, 2, 3].map { text(line($0)) }.joined())
        #expect(contents("out.ndjson.20260131T120000.001Z") == [4, 5, 6].map { text(line($0)) }.joined())
        #expect(contents() == text(line(7)))
    }

    @Test("holds one line that is larger than its size, and no empty file is put aside")
    func oversized() {
        var file = file(FileRotation(size: 100))
        #expect(file.append([line(1, size: 500), line(2, size: 500), line(3)], now: Self.noon) == (3, nil))
        #expect(names.count == 3)
        #expect(names.allSatisfy { !contents($0).isEmpty })
    }

    @Test("is put aside when its time is over, after a restart too")
    func rotatesByTime() throws {
        let day = FileRotation(every: .seconds(86_400))
        var file = file(day)
        #expect(file.append([line(1)], now: Self.noon) == (1, nil))
        let night = Timestamp("2026-01-31T23:59:59.999Z")!
        #expect(file.append([line(2)], now: night) == (1, nil))
        #expect(names == ["out.ndjson"])
        let morning = Timestamp("2026-02-01T00:00:00Z")!
        #expect(file.append([line(3)], now: morning) == (1, nil))
        #expect(names == ["out.ndjson", "out.ndjson.20260201T000000.000Z"])
        #expect(contents() == text(line(3)))
        file.close()

        // A file last written yesterday, found at the start.
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_769_900_000)], ofItemAtPath: path)
        var next = self.file(day)
        #expect(next.append([line(4)], now: Timestamp("2026-02-02T05:00:00Z")!) == (1, nil))
        #expect(contents() == text(line(4)))
        #expect(names.count == 3)
    }

    @Test("keeps as many files put aside as it is told, and touches no others")
    func keep() throws {
        for name in [
            "out.ndjson.old", "out.ndjson.20260131T120000.000Zx", "xout.ndjson.20200131T120000.000Z",
            "out.ndjson.2020013XT120000.000Z",
        ] {
            try folder.write(name, "mine")
        }
        var file = file(FileRotation(size: 100, keep: 2))
        #expect(file.append((1...6).map { line($0) }, now: Self.noon) == (6, nil))
        let aside = names.filter { $0.wholeMatch(of: /out\.ndjson\.\d{8}T\d{6}\.\d{3}Z/) != nil }
        #expect(aside.map { contents($0) } == [text(line(4)), text(line(5))])
        #expect(names.count == 4 + 2 + 1)
    }

    @Test("confirms only what is on the disk: half a line is taken back when it is full")
    func full() throws {
        let isFull = Atomic(false)
        let disk = DiskCalls(
            write: { descriptor, bytes in
                guard isFull.load(ordering: .relaxed) else { return DiskCalls.system.write(descriptor, bytes) }
                guard bytes.count > 50 else {
                    errno = ENOSPC
                    return -1
                }
                return DiskCalls.system.write(descriptor, bytes.prefix(bytes.count / 2))
            }, sync: DiskCalls.system.sync)
        var file = RotatingFile(path: path, rotation: FileRotation(), lineOpening: Self.opening, disk: disk)
        #expect(file.append([line(1)], now: Self.noon) == (1, nil))
        isFull.store(true, ordering: .relaxed)
        let result = file.append([line(2), line(3)], now: Self.noon)
        #expect(result.written == 0 && result.failure?.code == "disk_full")
        #expect(contents() == text(line(1)))
        isFull.store(false, ordering: .relaxed)
        #expect(file.append([line(2)], now: Self.noon) == (1, nil))
        #expect(contents() == text(line(1)) + text(line(2)))
        #expect(file.takeNotes() == [])
    }

    @Test("never confirms after a failed sync, and writes those lines again")
    func failedSync() throws {
        let isBroken = Atomic(false)
        let disk = DiskCalls(
            write: DiskCalls.system.write,
            sync: { descriptor in
                guard isBroken.load(ordering: .relaxed) else { return DiskCalls.system.sync(descriptor) }
                errno = EIO
                return -1
            })
        var file = RotatingFile(path: path, rotation: FileRotation(), lineOpening: Self.opening, disk: disk)
        #expect(file.append([line(1)], now: Self.noon) == (1, nil))
        isBroken.store(true, ordering: .relaxed)
        let result = file.append([line(2)], now: Self.noon)
        #expect(result.written == 0 && result.failure?.code == "file_sync")
        isBroken.store(false, ordering: .relaxed)
        #expect(file.append([line(2)], now: Self.noon) == (1, nil))
        #expect(contents() == text(line(1)) + text(line(2)))
    }
}

private func == (one: (written: Int, failure: FileFailure?), other: (Int, FileFailure?)) -> Bool {
    one.written == other.0 && one.failure == other.1
}

@Suite("A file target")
struct FileTargetTests {
    private let folder = TemporaryDirectory()

    private func target(_ keys: String = "", context: TargetContext = testContext()) throws -> any Target {
        let (blueprint, messages) = try decode("{type: file, path: \(folder.file("out"))\(keys)}")
        #expect(messages == [])
        #expect(blueprint?.destination == folder.file("out"))
        return try #require(blueprint).make(context)
    }

    private var lines: [String] {
        get throws {
            let bytes = try #require(FileManager.default.contents(atPath: folder.file("out")))
            #expect(bytes.last == 0x0A)
            return bytes.split(separator: 0x0A).map { text(Array($0)) }
        }
    }

    @Test("writes one JSON object a line, whatever visitors typed")
    func lines() async throws {
        let target = try target()
        for name in Hostile.texts {
            let outgoing = Sample.outgoing(try Sample.event(name: name, original: "{\n\"n\": \(quoted(name))}"))
            #expect(await target.send(outgoing).receipt?.bytes ?? 0 > 500)
        }
        let lines = try lines
        #expect(lines.count == Hostile.texts.count)
        for (line, name) in zip(lines, Hostile.texts) {
            let tape = try JSONParser().parse(Array(line.utf8))
            let event = try #require(EventView(tape))
            #expect(event.text(.visitorName)?.utf8.elementsEqual(name.utf8) == true)
            #expect(event.original != nil)
        }
    }

    @Test("keeps the original back when told, and writes other formats")
    func formats() async throws {
        let target = try target(", original: false, format: cef")
        #expect(await target.send(Sample.outgoing(try Sample.event())).receipt != nil)
        #expect(try lines.first?.hasPrefix("CEF:0|Gatehouse|") == true)
    }

    @Test("completes thousands of sends from several threads, each exactly once, each line whole")
    func concurrency() async throws {
        let target = try target()
        let delivered = Collected<Int>()
        await withTaskGroup(of: Void.self) { group in
            for part in 0..<4 {
                group.addTask {
                    for number in 0..<500 {
                        guard let event = try? Sample.event(name: "\(part)-\(number)", original: nil) else { return }
                        target.send(Sample.outgoing(event)) {
                            if $0.receipt != nil { delivered.append(part * 1000 + number) }
                        }
                    }
                }
            }
        }
        target.close()
        #expect(await poll { delivered.count == 2000 })
        #expect(Set(delivered.values).count == 2000)
        let names = try lines.map { line in
            try JSONParser().parse(Array(line.utf8)).value(at: JSONPointer("/data/visitor/name")) != nil
        }
        #expect(names.count == 2000 && names.allSatisfy { $0 })
    }

    @Test("when closed finishes what is in hand and takes nothing more; another may then write")
    func closes() async throws {
        let first = try target()
        let outcomes = Collected<DeliveryOutcome>()
        for _ in 0..<50 { first.send(Sample.outgoing(try Sample.event())) { outcomes.append($0) } }
        first.close()
        #expect(await first.send(Sample.outgoing(try Sample.event())).failure?.code == "target_closed")
        #expect(await poll { outcomes.count == 50 })
        #expect(outcomes.values.allSatisfy { $0.receipt != nil })
        let second = try target()
        // The first one lets go of the file after its last completion.
        let deadline = ContinuousClock.now + .seconds(10)
        var outcome = await second.send(Sample.outgoing(try Sample.event()))
        while outcome.failure?.code == "file_locked", ContinuousClock.now < deadline {
            outcome = await second.send(Sample.outgoing(try Sample.event()))
        }
        #expect(outcome.receipt != nil)
        #expect(try lines.count == 51)
    }

    @Test("blames itself, not the event, when it cannot write")
    func failure() async throws {
        let target = try target()
        try FileManager.default.createDirectory(atPath: folder.file("out"), withIntermediateDirectories: false)
        let failure = await target.send(Sample.outgoing(try Sample.event())).failure
        #expect(failure?.blame == .target && failure?.code.hasPrefix("file_") == true)
        try FileManager.default.removeItem(atPath: folder.file("out"))
        #expect(await target.send(Sample.outgoing(try Sample.event())).receipt != nil)
    }

    @Test("cannot be made in a folder that is not there")
    func missing() throws {
        let blueprint = try decode("{type: file, path: /nowhere/out}").blueprint
        #expect(throws: TargetError("target siem: /nowhere: No such file or directory")) {
            try blueprint?.make(testContext())
        }
    }

    @Test("logs what it mended")
    func logs() async throws {
        try folder.write("out", "{\"specversion\":\"1.0\",\"id\":\"torn")
        let events = Collected<String>()
        let logger = Logger { events.append($0.event) }
        let target = try target(context: TargetContext(client: client, hostname: "gate.test", logger: logger))
        #expect(await target.send(Sample.outgoing(try Sample.event())).receipt != nil)
        #expect(events.values == ["file_torn_line_removed"])
        #expect(try lines.count == 1)
    }
}
