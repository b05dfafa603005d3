internal import Events
package import JSON
internal import SQLite
internal import Synchronization

/// One request that was not taken: who sent it, why, and what it was by its size and hash. Never the body.
package struct RefusalEntry: Sendable, Hashable {
    /// The wall clock, milliseconds.
    package var atMs: Int64
    package var source: String?
    package var address: String?
    /// Stable.
    package var code: String
    package var detail: String
    package var size: Int?
    /// Lower-case hex.
    package var sha256: String?

    package init(
        atMs: Int64, source: String?, address: String?, code: String, detail: String, size: Int? = nil,
        sha256: String? = nil
    ) {
        self.atMs = atMs
        self.source = source
        self.address = address
        self.code = code
        self.detail = detail
        self.size = size
        self.sha256 = sha256
    }

    /// `{at, source, address, code, detail, size, sha256}`; null where unknown.
    package func appendJSON(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("at")
        writer.string(Timestamp(milliseconds: atMs).text)
        writer.member("source", source)
        writer.member("address", address)
        writer.member("code", code)
        writer.member("detail", detail)
        writer.member("size", size.map(Int64.init))
        writer.member("sha256", sha256)
        writer.endObject()
    }
}

/// A part of the ledger, in the order asked for.
package struct RefusalPage: Sendable {
    package var entries: [RefusalEntry]
    /// Where the next part begins; nil at the end.
    package var next: String?
}

/// Refusals on their way to the file: an attacker's requests must cost neither a transaction each nor memory without end.
final class RefusalBuffer: Sendable {
    static let limit = 2048

    private struct State {
        var entries: [RefusalEntry] = []
        var wake: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    func append(_ entry: RefusalEntry) {
        let wake = state.withLock { state -> (@Sendable () -> Void)? in
            // The ledger shows the newest; every refusal is in the metrics.
            if state.entries.count == Self.limit { state.entries.removeFirst(Self.limit / 4) }
            state.entries.append(entry)
            return state.entries.count == 1 ? state.wake : nil
        }
        wake?()
    }

    var isEmpty: Bool { state.withLock { $0.entries.isEmpty } }

    func take() -> [RefusalEntry] {
        state.withLock { state in
            defer { state.entries = [] }
            return state.entries
        }
    }

    func putBack(_ entries: [RefusalEntry]) {
        state.withLock { $0.entries = Array((entries + $0.entries).suffix(Self.limit)) }
    }

    func onFirst(_ wake: (@Sendable () -> Void)?) {
        state.withLock { $0.wake = wake }
    }
}

extension DeliveryStore {
    /// The ledger keeps the newest so many.
    package static let maximumRefusals = 10_000

    /// Notes a refused request, to be written soon. From any thread; never blocks.
    package func refuse(_ entry: RefusalEntry) {
        refusals.append(entry)
    }

    /// Writes what has been noted.
    package func flushRefusals() throws {
        let entries = refusals.take()
        guard !entries.isEmpty else { return }
        do {
            try withWriter { writer in
                try writer.transaction { try Self.insert(entries, writer.database) }
            }
        } catch {
            refusals.putBack(entries)
            throw error
        }
    }

    private static func insert(_ entries: [RefusalEntry], _ database: Database) throws {
        let statement = try database.prepare(
            """
            INSERT INTO refusals (at, source, address, code, detail, size, sha256) VALUES (?, ?, ?, ?, ?, ?, ?)
            """)
        for entry in entries {
            try statement.run([
                .integer(entry.atMs), .text(entry.source), .text(entry.address), .text(entry.code), .text(entry.detail),
                .integer(entry.size.map(Int64.init)), .text(entry.sha256),
            ])
        }
        try database.execute(
            "DELETE FROM refusals WHERE id <= (SELECT max(id) FROM refusals) - ?", [.integer(maximumRefusals)])
    }

    /// The newest refusals, oldest first.
    package func refusals(source: String? = nil, sinceMs: Int64? = nil, newest limit: Int) throws -> [RefusalEntry] {
        try flushForReading()
        return try readRefusals("ORDER BY id DESC", source, sinceMs, after: 0, limit: limit).map(\.entry).reversed()
    }

    /// - Parameter cursor: a page's `next`; nil for the first page.
    package func refusals(
        source: String? = nil, sinceMs: Int64? = nil, after cursor: String?, limit: Int = 1000
    ) throws -> RefusalPage {
        try flushForReading()
        guard let after = cursor.map({ Int64($0) }) ?? 0 else { throw DeliveryStoreError("there is no such page") }
        let limit = min(limit, Self.pageSize)
        let rows = try readRefusals("ORDER BY id", source, sinceMs, after: after, limit: limit)
        return RefusalPage(
            entries: rows.map(\.entry), next: rows.count == limit ? rows.last.map { String($0.id) } : nil)
    }

    /// The newest first, of those that match.
    /// - Parameter cursor: a page's `next`; nil for the first page.
    package func refusals(
        source: String? = nil, sinceMs: Int64? = nil, before cursor: String?, limit: Int
    ) throws -> RefusalPage {
        try flushForReading()
        guard let before = cursor.map({ Int64($0) }) ?? Int64.max else {
            throw DeliveryStoreError("there is no such page")
        }
        let limit = min(limit, Self.pageSize)
        let rows = try readRefusals("ORDER BY id DESC", source, sinceMs, after: 0, before: before, limit: limit)
        return RefusalPage(
            entries: rows.map(\.entry), next: rows.count == limit ? rows.last.map { String($0.id) } : nil)
    }

    private func flushForReading() throws {
        guard writer.withLock({ $0 != nil }) else { return }
        try flushRefusals()
    }

    private func readRefusals(
        _ order: String, _ source: String?, _ sinceMs: Int64?, after: Int64, before: Int64 = .max, limit: Int
    ) throws -> [(id: Int64, entry: RefusalEntry)] {
        try withReader { database in
            var result: [(id: Int64, entry: RefusalEntry)] = []
            try database.forEachRow(
                """
                SELECT id, at, source, address, code, detail, size, sha256 FROM refusals
                WHERE id > ?1 AND id < ?5 AND (?2 IS NULL OR source = ?2) AND at >= ?3 \(order) LIMIT ?4
                """,
                [
                    .integer(after), .text(source), .integer(sinceMs ?? Int64.min), .integer(limit), .integer(before),
                ]
            ) { row in
                result.append(
                    (
                        row.integer(0),
                        RefusalEntry(
                            atMs: row.integer(1), source: row.text(2), address: row.text(3), code: row.text(4) ?? "",
                            detail: row.text(5) ?? "", size: row.optionalInteger(6).map { Int($0) },
                            sha256: row.text(7))
                    ))
            }
            return result
        }
    }
}
