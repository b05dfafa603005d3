import Foundation
import Synchronization
import Testing
import Threads

@Suite("A thread")
struct ThreadTests {
    @Test("runs its body under its name, with every signal blocked, and is waited for once")
    func runs() throws {
        let seen = Mutex<(name: String, blocked: String)?>(nil)
        let thread = try Thread(name: "a-name-that-is-too-long") {
            let status = (try? String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8)) ?? ""
            func value(_ key: String) -> String {
                let line = status.split(separator: "\n").first { $0.hasPrefix(key + ":") } ?? ""
                return line.dropFirst(key.count + 1).trimmingCharacters(in: .whitespaces)
            }
            seen.withLock { $0 = (value("Name"), value("SigBlk")) }
        }
        thread.join()
        thread.join()
        let (name, blocked) = try #require(seen.withLock { $0 })
        #expect(name == "a-name-that-is-")
        let mask = try #require(UInt64(blocked, radix: 16))
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            #expect(mask & (1 << UInt64(signal - 1)) != 0, "signal \(signal) is not blocked")
        }
    }

    @Test("goes on when nobody holds it")
    func isDetached() throws {
        let done = DispatchSemaphore(value: 0)
        _ = try Thread(name: "alone", stackSize: 256 << 10) { done.signal() }
        #expect(done.wait(timeout: .now() + 30) == .success)
    }
}
