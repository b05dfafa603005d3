internal import Events
package import JSON
internal import SQLite

/// One thing an operator did, or read in the clear.
package struct AuditEntry: Sendable, Hashable {
    /// The wall clock, milliseconds.
    package var atMs: Int64
    /// A token's name, or `local` for whoever may open the control socket.
    package var actor: String
    /// Stable, such as `events.read` or `targets.pause`.
    package var action: String
    /// What it was done to: a target's name, an event's id.
    package var subject: String?
    /// How, in few words. Never a secret, nor anything a visitor typed.
    package var detail: String?

    package init(atMs: Int64, actor: String, action: String, subject: String? = nil, detail: String? = nil) {
        self.atMs = atMs
        self.actor = actor
        self.action = action
        self.subject = subject
        self.detail = detail
    }

    /// `{at, actor, action, subject, detail}`; null where there is none.
    package func appendJSON(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("at", Timestamp(milliseconds: atMs).text)
        writer.member("actor", actor)
        writer.member("action", action)
        writer.member("subject", subject)
        writer.member("detail", detail)
        writer.endObject()
    }
}

/// A part of the audit log, in the order asked for.
package struct AuditPage: Sendable {
    package var entries: [AuditEntry]
    /// Where the next part begins; nil at the end.
    package var next: String?
}

extension DeliveryStore {
    /// The audit log keeps the newest so many.
    package static let maximumAuditEntries = 100_000

    /// Writes an entry; it is on the disk when this returns. To be called before what it tells of is done or shown.
    package func audit(_ entry: AuditEntry) throws {
        try withWriter { writer in
            try writer.transaction(isDurable: true) { try writer.add(entry) }
        }
    }

    /// - Parameters:
    ///   - isNewestFirst: from the newest back; else from the oldest on.
    ///   - cursor: a page's `next`; nil for the first page.
    ///   - limit: entries, at most 1000.
    package func auditEntries(
        isNewestFirst: Bool = true, sinceMs: Int64? = nil, untilMs: Int64? = nil, from cursor: String?, limit: Int
    ) throws -> AuditPage {
        guard let start = cursor.map({ Int64($0) }) ?? (isNewestFirst ? Int64.max : 0) else {
            throw DeliveryStoreError("there is no such page")
        }
        try refresh([.audit])
        let limit = min(limit, Self.pageSize)
        return try withReader { database in
            var page = AuditPage(entries: [])
            var last: Int64?
            try database.forEachRow(
                """
                SELECT id, at, actor, action, subject, detail FROM audit
                WHERE id \(isNewestFirst ? "<" : ">") ?1 AND at >= ?2 AND at < ?3
                ORDER BY id \(isNewestFirst ? "DESC" : "ASC") LIMIT ?4
                """,
                [.integer(start), .integer(sinceMs ?? Int64.min), .integer(untilMs ?? Int64.max), .integer(limit)]
            ) { row in
                last = row.integer(0)
                page.entries.append(
                    AuditEntry(
                        atMs: row.integer(1), actor: row.text(2) ?? "", action: row.text(3) ?? "", subject: row.text(4),
                        detail: row.text(5)))
            }
            if page.entries.count == limit { page.next = last.map(String.init) }
            return page
        }
    }
}

extension StoreWriter {
    /// Inside a transaction.
    func add(_ entry: AuditEntry) throws {
        try database.execute(
            "INSERT INTO audit (at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?)",
            [
                .integer(entry.atMs), .text(entry.actor), .text(entry.action), .text(entry.subject),
                .text(entry.detail),
            ])
        try database.execute(
            "DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?",
            [.integer(DeliveryStore.maximumAuditEntries)])
    }
}
