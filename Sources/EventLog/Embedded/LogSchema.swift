internal import Cryptography
internal import SQLite

/// The tables of `events.db`, in order of age: a change is a migration added at the end.
enum LogSchema {
    static let migrations: [Migration] = [
        Migration(tables), Migration { database in try createLogRow(database) },
        Migration("ALTER TABLE events ADD COLUMN verified_by TEXT"),
    ]

    /// The version from which events have the column `verified_by`.
    static let versionWithVerifiedBy = 3

    /// - `log`: one row. `next` is the next sequence to be given; `beginning` the oldest that is kept.
    /// - `events`: `sum` is the row's checksum (`RecordDigest`); an empty payload is what an erased record leaves.
    /// - `people`: one row a commit: for each of its records, from sequence `first` on, three keyed 64-bit hashes.
    /// - `recent_ids`: one row a commit: 16 bytes for each of its records, from sequence `first` on.
    /// - `id_runs`, `id_slots`: ids of older records in sorted runs, see `IDRun`.
    /// - `losses`: ranges of sequences that were given up.
    private static let tables = """
        CREATE TABLE log (
            id INTEGER PRIMARY KEY CHECK (id = 1), next INTEGER NOT NULL, beginning INTEGER NOT NULL,
            system INTEGER NOT NULL, person_key BLOB NOT NULL);
        CREATE TABLE events (
            seq INTEGER PRIMARY KEY, sum INTEGER NOT NULL, id BLOB NOT NULL, received_at INTEGER NOT NULL,
            type TEXT NOT NULL, source TEXT NOT NULL, payload BLOB NOT NULL);
        CREATE TABLE people (first INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
        CREATE TABLE recent_ids (first INTEGER PRIMARY KEY, committed_at INTEGER NOT NULL, ids BLOB NOT NULL);
        CREATE TABLE id_runs (
            run INTEGER PRIMARY KEY, last INTEGER NOT NULL, ids INTEGER NOT NULL, slots INTEGER NOT NULL,
            until INTEGER NOT NULL, filter BLOB NOT NULL);
        CREATE TABLE id_slots (slot INTEGER PRIMARY KEY, ids BLOB NOT NULL);
        CREATE TABLE sources (
            name TEXT PRIMARY KEY, accepted INTEGER NOT NULL, duplicates INTEGER NOT NULL,
            quarantined INTEGER NOT NULL, last_accepted_at INTEGER) WITHOUT ROWID;
        CREATE TABLE quarantine (
            entry INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, source TEXT NOT NULL, position INTEGER NOT NULL,
            received_at INTEGER NOT NULL, reason TEXT NOT NULL, bytes BLOB, size INTEGER NOT NULL,
            sha256 TEXT NOT NULL);
        CREATE TABLE losses (
            first INTEGER PRIMARY KEY, last INTEGER NOT NULL, found_at INTEGER NOT NULL, reason TEXT NOT NULL);
        """

    private static func createLogRow(_ database: Database) throws {
        try database.execute(
            "INSERT INTO log (id, next, beginning, system, person_key) VALUES (1, 1, 1, 0, ?)",
            [.blob(randomBytes(16))])
    }
}
