import Foundation
import Glibc
import TestSupport
import Testing

/// A small file system of its own, in memory. Needs the right to mount, which root has in CI.
final class SmallDisk: Sendable {
    let path: String

    init(_ path: String, mebibytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard unsafe mount("gatehouse", path, "tmpfs", 0, "size=\(mebibytes)m") == 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw Failure("this test mounts a small file system and needs the rights of root for it: \(reason)")
        }
    }

    deinit {
        _ = unsafe umount2(path, Int32(MNT_DETACH))
    }

    /// Takes all the space there is left.
    func fill() throws {
        let descriptor = unsafe open(path + "/filler", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(descriptor) }
        let chunk = [UInt8](repeating: 0x78, count: 4096)
        while unsafe write(descriptor, chunk, chunk.count) > 0 {}
        guard errno == ENOSPC else { throw Failure("the disk is not full: \(unsafe String(cString: strerror(errno)))") }
    }

    func clear() { _ = unsafe unlink(path + "/filler") }
}

extension ProgramTests {
    @Suite("A full disk") struct DiskFullTests {
        @Test("is answered with 503 before anything is accepted; once there is room it goes on, without a restart")
        func recovery() async throws {
            let installation = try Installation(
                top: "data: ./disk/data", targets: Installation.archive, routes: Installation.everythingToArchive)
            let disk = try SmallDisk(installation.path("disk"), mebibytes: 16)
            let service = try await installation.start()
            var acknowledged: Set<String> = []
            func post(_ key: String) async throws -> Answer {
                let event = Sender.signinapp.event(key)
                let answer = try await service.post(event)
                if answer.status == 200 { acknowledged.insert(event.events[0].id) }
                return answer
            }
            for number in 0..<20 { #expect(try await post("before-\(number)").status == 200) }
            for round in 0..<2 {
                try disk.fill()
                // The log may have some room in its files left.
                var number = 0
                let isRefused = try await eventually {
                    number += 1
                    return try await post("full-\(round)-\(number)").status != 200
                }
                #expect(isRefused)
                let answer = try await post("refused-\(round)")
                #expect(answer.status == 503, "\(answer.text)")
                #expect(["log_full", "log_unavailable"].contains(answer.code), "\(answer.text)")
                #expect(answer.headers["retry-after"].flatMap { Int($0) } ?? 0 > 0)
                #expect(service.process.current == nil)
                let health = try await service.console("/healthz")
                #expect(health.status == 200)
                disk.clear()
                #expect(try await eventually { try await post("after-\(round)").status == 200 })
                #expect(try await eventually { try await service.console("/readyz").status == 200 })
            }
            #expect(try await eventually { try await installation.count("pending", at: "archive") == 0 })
            #expect(await service.stop() == .exited(0))
            let kept = Set(try await installation.events().compactMap { $0["id"] as? String })
            #expect(acknowledged.subtracting(kept) == [])
            #expect(kept == Set(try installation.archivedIDs))
        }
    }
}
