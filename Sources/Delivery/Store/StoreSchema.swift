internal import SQLite

/// The tables of `state.db`, one migration a schema version.
enum StoreSchema {
    static let migrations = [
        Migration(version1), Migration(version2), Migration(version3), Migration(version4), Migration(version5),
    ]

    /// - `targets`: one row a target, also when it is no longer configured. `position` to `system` are written whole with
    ///   every commit; `plan` is the plan that matched from `plan_from` on, earlier ones are in `passes`.
    /// - `names`, `route_sets`: texts that many rows repeat.
    /// - `deliveries`: what became of one event at one target. An event a target's position has passed, that has no row and
    ///   is younger than the history, was taken by no route. One that the target itself did not take has a row.
    /// - `open_events`, `dead_letters`: with a copy of the event.
    /// - `at_work`, `deaths`: what was being done when the process died.
    private static let version1 = """
        CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
        CREATE TABLE targets (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, type TEXT NOT NULL,
            destination TEXT NOT NULL, created_at INTEGER NOT NULL, start TEXT NOT NULL,
            before_start INTEGER NOT NULL, system_before_start INTEGER NOT NULL,
            position TEXT NOT NULL, holes BLOB NOT NULL DEFAULT x'',
            delivered INTEGER NOT NULL DEFAULT 0, filtered INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0,
            discarded INTEGER NOT NULL DEFAULT 0, expired INTEGER NOT NULL DEFAULT 0, system INTEGER NOT NULL DEFAULT 0,
            paused INTEGER NOT NULL DEFAULT 0, disabled TEXT, failing_since INTEGER,
            removed INTEGER NOT NULL DEFAULT 0, plan INTEGER, plan_from TEXT);
        CREATE TABLE plans (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, first_used_at INTEGER NOT NULL);
        CREATE TABLE passes (
            id INTEGER PRIMARY KEY, target INTEGER NOT NULL, plan INTEGER NOT NULL, from_position TEXT NOT NULL,
            to_position TEXT NOT NULL);
        CREATE INDEX passes_of_target ON passes (target);
        CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE route_sets (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE);
        CREATE TABLE deliveries (
            part INTEGER NOT NULL, offset INTEGER NOT NULL, target INTEGER NOT NULL, event BLOB NOT NULL,
            type INTEGER NOT NULL, source INTEGER NOT NULL, received_at INTEGER NOT NULL, state INTEGER NOT NULL,
            attempts INTEGER NOT NULL, at INTEGER NOT NULL, status INTEGER, reason INTEGER, duration_ms INTEGER NOT NULL,
            next_at INTEGER, routes INTEGER NOT NULL, PRIMARY KEY (part, offset, target)) WITHOUT ROWID;
        CREATE TABLE open_events (
            id INTEGER PRIMARY KEY, target INTEGER NOT NULL, part INTEGER NOT NULL, offset INTEGER NOT NULL,
            event BLOB NOT NULL, type INTEGER NOT NULL, source INTEGER NOT NULL, received_at INTEGER NOT NULL,
            routes INTEGER NOT NULL, tries INTEGER NOT NULL, counted INTEGER NOT NULL, first_tried_at INTEGER NOT NULL,
            next_at INTEGER NOT NULL, reason INTEGER NOT NULL, payload BLOB NOT NULL, UNIQUE (target, part, offset));
        CREATE TABLE dead_letters (
            id INTEGER PRIMARY KEY, target INTEGER NOT NULL, part INTEGER NOT NULL, offset INTEGER NOT NULL,
            event BLOB NOT NULL, type INTEGER NOT NULL, source INTEGER NOT NULL, received_at INTEGER NOT NULL,
            routes INTEGER, at INTEGER NOT NULL, reason INTEGER NOT NULL, attempts INTEGER NOT NULL, status INTEGER,
            message TEXT NOT NULL, response BLOB NOT NULL, payload BLOB NOT NULL, UNIQUE (target, part, offset));
        CREATE INDEX dead_letters_by_time ON dead_letters (at);
        CREATE TABLE at_work (target INTEGER NOT NULL, part INTEGER NOT NULL, offset INTEGER NOT NULL);
        CREATE TABLE deaths (
            target INTEGER NOT NULL, part INTEGER NOT NULL, offset INTEGER NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY (target, part, offset)) WITHOUT ROWID;
        CREATE TABLE refusals (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, source TEXT, address TEXT, code TEXT NOT NULL,
            detail TEXT NOT NULL, size INTEGER, sha256 TEXT);
        """

    /// - `open_events`: `order_key` is what the event is kept in order by, `requeued_at` when a person took it out of the dead
    ///   letters.
    /// - `audit`: what operators did.
    private static let version2 = """
        ALTER TABLE open_events ADD COLUMN order_key INTEGER;
        ALTER TABLE open_events ADD COLUMN requeued_at INTEGER;
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
            subject TEXT, detail TEXT);
        """

    /// The history of attempts.
    /// - `deliveries`: what is new tells of the last attempt, and of its request: SHA-256 of what was rendered, how many
    ///   seconds before `at` it was signed, by which configuration it was rendered, what was answered; of a batch all that
    ///   is in `batches`. With `is_change` the row tells of something else that happened, such as a person's decision.
    /// - `attempts`: those before the last one.
    /// - `answers`: header lines and the body's beginning; one row for answers that are the same and came within an hour.
    /// - `sent_bodies`: the beginning of what was rendered, of requests that failed.
    /// - `target_versions`: configurations of targets; `unused_since` while none is configured so.
    private static let version3 = """
        ALTER TABLE deliveries ADD COLUMN digest BLOB;
        ALTER TABLE deliveries ADD COLUMN signed_before INTEGER;
        ALTER TABLE deliveries ADD COLUMN version INTEGER;
        ALTER TABLE deliveries ADD COLUMN answer INTEGER;
        ALTER TABLE deliveries ADD COLUMN batch INTEGER;
        ALTER TABLE deliveries ADD COLUMN is_change INTEGER;
        CREATE TABLE attempts (
            id INTEGER PRIMARY KEY AUTOINCREMENT, part INTEGER NOT NULL, offset INTEGER NOT NULL, target INTEGER NOT NULL,
            attempts INTEGER NOT NULL, at INTEGER NOT NULL, status INTEGER, reason INTEGER, duration_ms INTEGER NOT NULL,
            routes INTEGER NOT NULL, digest BLOB, signed_before INTEGER, version INTEGER, answer INTEGER, batch INTEGER);
        CREATE INDEX attempts_of_event ON attempts (part, offset);
        CREATE TABLE batches (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, digest BLOB NOT NULL, signed_before INTEGER,
            version INTEGER, answer INTEGER, members BLOB NOT NULL);
        CREATE TABLE answers (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, header BLOB NOT NULL, body BLOB NOT NULL,
            is_cut INTEGER NOT NULL);
        CREATE TABLE sent_bodies (
            id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, at INTEGER NOT NULL, size INTEGER NOT NULL,
            body BLOB NOT NULL);
        CREATE INDEX sent_bodies_by_time ON sent_bodies (at);
        CREATE TABLE target_versions (
            id INTEGER PRIMARY KEY AUTOINCREMENT, hash TEXT NOT NULL UNIQUE, source BLOB NOT NULL, unused_since INTEGER);
        """

    /// - `replays`: events that are sent to a target once more. Each has a row in `targets` of the same id, with a place and
    ///   counters of its own, and its open events, dead letters and deliveries under that id; `target` is where it sends to.
    ///   `phase` is 0 while it is at work, 1 when it was cancelled and ends, 2 when it has ended; `remaining` are events it
    ///   did not look at.
    private static let version4 = """
        ALTER TABLE targets ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE replays (
            id INTEGER PRIMARY KEY, target INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER, route TEXT,
            condition TEXT, team TEXT, decode_again INTEGER NOT NULL, actor TEXT NOT NULL, end_position TEXT NOT NULL,
            events INTEGER NOT NULL, remaining INTEGER NOT NULL DEFAULT 0, phase INTEGER NOT NULL DEFAULT 0,
            cancelled TEXT, ended_at INTEGER);
        CREATE INDEX replays_of_target ON replays (target);
        """

    /// - `targets`: `refused` says of how many of the `filtered` the target itself was the reason, and which: `no_key=3`.
    private static let version5 = """
        ALTER TABLE targets ADD COLUMN refused TEXT NOT NULL DEFAULT '';
        """
}
