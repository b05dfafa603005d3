internal import EventLog
internal import SQLite

/// What the process was doing when it died, so that an event that kills it does so only a few times.
struct Suspect: Sendable, Hashable {
    /// The target it was rendered for; 0 while it was read and matched.
    var target: Int64
    var place: RecordPlace
}

extension DeliveryStore {
    /// Deaths with the same event at work after which it is not tried again.
    static let deathsToConvict = 3

    /// Notes that a run begins, and what the last one died of if it did not end in order.
    /// - Returns: whether it died, and the events that were at work at several deaths.
    func beginRun() throws -> (hasDied: Bool, convicted: Set<Suspect>) {
        try withWriter { writer in
            try writer.transaction(isDurable: true) {
                let database = writer.database
                let hasDied = try database.integer("SELECT value FROM meta WHERE key = 'running'") == 1
                try database.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('running', 1)")
                if hasDied {
                    try database.execute(
                        """
                        INSERT INTO deaths (target, part, offset, count) SELECT target, part, offset, 1 FROM at_work
                        WHERE TRUE ON CONFLICT DO UPDATE SET count = count + 1
                        """)
                }
                try database.execute("DELETE FROM at_work")
                var convicted: Set<Suspect> = []
                try database.forEachRow(
                    "SELECT target, part, offset FROM deaths WHERE count >= ?", [.integer(Self.deathsToConvict)]
                ) { row in
                    let place = RecordPlace(partition: Int32(row.integer(1)), offset: row.integer(2))
                    convicted.insert(Suspect(target: row.integer(0), place: place))
                }
                return (hasDied, convicted)
            }
        }
    }

    /// Notes what is about to be done, before it is done.
    func setAtWork(_ suspect: Suspect?) throws {
        try withWriter { writer in
            try writer.transaction {
                try writer.database.execute("DELETE FROM at_work")
                guard let suspect else { return }
                try writer.database.execute(
                    "INSERT INTO at_work (target, part, offset) VALUES (?, ?, ?)",
                    [
                        .integer(suspect.target), .integer(Int(suspect.place.partition)),
                        .integer(suspect.place.offset),
                    ])
            }
        }
    }

    /// Notes that the run ended in order.
    func endRun() throws {
        try withWriter { writer in
            try writer.transaction(isDurable: true) {
                try writer.database.execute("DELETE FROM at_work; DELETE FROM meta WHERE key = 'running';")
            }
        }
    }
}
