import Foundation
import Synchronization
import TestSupport

/// The senders whose visitors wait at a door.
enum DoorSender: String, CaseIterable, Sendable {
    case sine, envoy
}

/// The doors of an installation: a site of Sine's and one of Envoy's.
struct Doors: Sendable {
    var sine: FakeSine
    var envoy: FakeEnvoy

    /// - Parameter lobby: where Envoy's source listens, if it has an address of its own.
    init(port: Int, lobby: Int? = nil) {
        sine = FakeSine(port: port, path: "/in/sydney", key: Secrets.environment["SYDNEY_KEY"])
        envoy = FakeEnvoy(port: lobby ?? port, path: "/in/lobby", secret: Secrets.environment["LOBBY_SECRET"])
    }

    /// - Parameter number: of the visit: the same again is the same request again.
    func visit(_ sender: DoorSender, _ visitor: DoorVisitor, number: Int, withheld: Int = 0) -> DoorVisit {
        switch sender {
        case .sine: sine.checkIn(visitor, attempt: number, withheld: withheld)
        case .envoy: envoy.signIn(visitor, job: "job-\(number)", withheld: withheld)
        }
    }

    /// Many visits, some at once, each on a thread of its own.
    /// - Returns: what came of each, by its number.
    func visits(
        _ count: Int, atOnce: Int = 96, _ visit: @escaping @Sendable (Doors, Int) -> DoorVisit
    ) async -> [DoorVisit] {
        let next = Counter()
        let done = Mutex<[Int: DoorVisit]>([:])
        for _ in 0..<atOnce {
            Thread.detachNewThread { [self] in
                while let number = next.take(below: count) {
                    let result = visit(self, number)
                    done.withLock { $0[number] = result }
                }
            }
        }
        _ = await poll(deadline: patience, every: .milliseconds(20)) { done.withLock { $0.count } == count }
        let all = done.withLock { $0 }
        return all.sorted { $0.key < $1.key }.map(\.value)
    }
}

/// Numbers given out one by one, to any thread.
final class Counter: Sendable {
    private let next = Atomic(0)

    func take(below limit: Int) -> Int? {
        let number = next.add(1, ordering: .relaxed).oldValue
        return number < limit ? number : nil
    }

    func take() -> Int { next.add(1, ordering: .relaxed).oldValue }
    var count: Int { next.load(ordering: .relaxed) }
}

extension Installation {
    /// An installation of all five senders, of which Sine and Envoy may decide.
    ///
    /// - Parameters:
    ///   - decisions: the file of decisions; nil: nothing is decided.
    ///   - sydney: further keys of Sine's source.
    ///   - lobby: those of Envoy's.
    convenience init(
        decisions: String?, sydney: String = "", lobby: String = "mode: decision", targets: [String] = [],
        top: String = "", files: [String: String] = [:], wrapper: [String] = []
    ) throws {
        func extended(_ line: String, _ keys: String) -> String {
            keys.isEmpty ? line : String(line.dropLast()) + ", \(keys)}"
        }
        var configuration = Installation.configuration(
            top: top, targets: ([Installation.archive] + targets).joined(separator: "\n"))
        for (line, keys) in [
            (#"sydney: {vendor: sine, api_key: "${env:SYDNEY_KEY}"}"#, sydney),
            (#"lobby: {vendor: envoy, secrets: ["${env:LOBBY_SECRET}"]}"#, lobby),
        ] {
            precondition(configuration.contains(line))
            configuration = configuration.replacing(line, with: extended(line, keys))
        }
        var files = files
        files["routes.yaml"] = "routes:\n\(Installation.everythingToArchive)\n"
        if let decisions {
            configuration += "decisions: ./decisions.yaml\n"
            files["decisions.yaml"] = decisions
        }
        try self.init(configuration, files: files, wrapper: wrapper)
    }

    /// Lines of the archive so far.
    var archivedCount: Int { read("archive.ndjson").utf8.count { $0 == UInt8(ascii: "\n") } }

    /// Fields of the decisions that were kept, as `outcome reason`.
    var decided: [String] {
        get throws {
            try archived.compactMap { event in
                guard let outcome = JSON.value(event, "data", "decision", "outcome") else { return nil }
                return "\(outcome) \(JSON.value(event, "data", "decision", "reason") ?? "-")"
            }
        }
    }
}
