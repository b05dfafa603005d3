import Glibc
import TestSupport

extension Installation {
    /// An installation of all five senders.
    ///
    /// - Parameters:
    ///   - top: further lines of the top level.
    ///   - targets: the lines under `targets:`, indented by two.
    ///   - routes: the lines under `routes:` of the route file, indented by two.
    convenience init(
        top: String = "", targets: String, routes: String, environment: [String: String] = [:],
        files: [String: String] = [:]
    ) throws {
        try self.init(
            Self.configuration(top: top, targets: targets),
            files: files.merging(["routes.yaml": "routes:\n" + routes + "\n"]) { $1 },
            environment: Secrets.environment.merging(environment) { $1 })
    }

    static func configuration(
        listen: String = "127.0.0.1:0", console: String = "127.0.0.1:0", top: String = "", targets: String
    ) -> String {
        """
        listen: "\(listen)"
        console: "\(console)"
        \(top)
        \(Sender.configuration)
        targets:
        \(targets)
        routes: ./routes.yaml

        """
    }

    static let archive = "  archive: {type: file, path: ./archive.ndjson}"
    static let everythingToArchive = "  - {name: everything, to: archive}"

    /// Events of the archive's file so far, whole lines only.
    var archived: [[String: Any]] {
        get throws {
            let text = read("archive.ndjson")
            guard let end = text.lastIndex(of: "\n") else { return [] }
            return try text[..<end].split(separator: "\n").map { try JSON.object(String($0)) }
        }
    }

    var archivedIDs: [String] { get throws { try archived.compactMap { $0["id"] as? String } } }

    // MARK: what the program says

    func events(_ arguments: String...) async throws -> [[String: Any]] { try await list("events", arguments) }
    func deliveries(_ arguments: String...) async throws -> [[String: Any]] { try await list("deliveries", arguments) }
    func refusals(_ arguments: String...) async throws -> [[String: Any]] { try await list("refusals", arguments) }

    func targets() async throws -> [[String: Any]] {
        let outcome = try await gatehouse("targets", "list", "--json")
        guard outcome.status == 0 else { throw Failure("\(outcome)") }
        return try outcome.objects
    }

    func target(_ name: String) async throws -> [String: Any]? {
        try await targets().first { $0["name"] as? String == name }
    }

    /// The balance, which must hold.
    func balance() async throws -> [String: Any] {
        let outcome = try await gatehouse("reconcile", "--json")
        let balance = try JSON.object(outcome.output)
        guard outcome.status == 0, balance["balanced"] as? Bool == true else { throw Failure("\(outcome)") }
        return balance
    }

    /// A number of a target's balance.
    func count(_ state: String, at target: String) async throws -> Int? {
        JSON.value(try await balance(), "targets", target, state) as? Int
    }

    private func list(_ command: String, _ arguments: [String]) async throws -> [[String: Any]] {
        let outcome = try await gatehouse(words: [command, "--json"] + arguments)
        guard outcome.status == 0 else { throw Failure("\(outcome)") }
        return try outcome.objects
    }
}

/// A port at which nothing listens: of the kernel's choice a moment ago.
func freePort() throws -> Int { try Receiver.unusedPort() }
