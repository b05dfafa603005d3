internal import Delivery

extension APIResource {
    static let audit = APIResource(
        path: "audit", summary: "lists what operators did, and what they read in the clear",
        details: "The newest 100 000 entries are kept.", parameters: [.cursor, .limit, .order, .since, .until],
        result: .list("AuditEntry"), role: .operator
    ) { request, records in
        let cursor = try APICursor.decode(request, of: "audit")
        let page = try records.local.store.auditEntries(
            isNewestFirst: request.isNewestFirst, sinceMs: request.moment("since"), untilMs: request.moment("until"),
            from: cursor, limit: request.limit)
        let lines = page.entries.map { entry in RecordPager.line { entry.appendJSON(to: &$0) } }
        return .page(RecordPage(lines: lines, next: APICursor.encode(page.next, of: "audit", request)))
    }
}
