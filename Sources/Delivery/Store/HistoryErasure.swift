internal import EventLog
internal import Events
internal import SQLite

extension StoreWriter {
    /// Removes what history keeps of an event's texts, and of what was answered to it: of a batch for all its events.
    /// Digests, times and codes stay. Inside a transaction.
    /// - Returns: how many texts there were.
    func eraseHistory(of event: EventID, at place: RecordPlace?) throws -> Int {
        var digests: Set<[UInt8]> = []
        var answers: Set<Int64> = []
        for place in try place.map({ [$0] }) ?? places(of: event) {
            for table in ["deliveries", "attempts"] {
                try database.forEachRow(
                    """
                    SELECT coalesce(d.digest, b.digest), coalesce(d.answer, b.answer) FROM \(table) AS d
                    LEFT JOIN batches AS b ON b.id = d.batch WHERE d.part = ? AND d.offset = ?
                    """, [.integer(Int(place.partition)), .integer(place.offset)]
                ) { row in
                    if !row.isNull(0) { digests.insert(row.bytes(0)) }
                    if let answer = row.optionalInteger(1) { answers.insert(answer) }
                }
            }
        }
        var count = 0
        for digest in digests {
            try database.execute("DELETE FROM sent_bodies WHERE digest = ?", [.blob(digest)])
            count += database.changes
        }
        for answer in answers {
            try database.execute("UPDATE answers SET header = x'', body = x'' WHERE id = ?", [.integer(answer)])
        }
        // The same answer to another event is written anew.
        exchanges.forgetAnswers()
        return count
    }

    private func places(of event: EventID) throws -> [RecordPlace] {
        var places: [RecordPlace] = []
        try database.forEachRow(
            "SELECT DISTINCT part, offset FROM deliveries WHERE event = ?", [.blob(event.storedBytes)]
        ) { row in
            places.append(RecordPlace(partition: Int32(row.integer(0)), offset: row.integer(1)))
        }
        return places
    }
}
