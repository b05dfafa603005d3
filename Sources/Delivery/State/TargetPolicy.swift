package import Targets

/// The limits a target's state keeps to.
package struct TargetPolicy: Sendable, Hashable {
    /// Requests in flight at once.
    package var concurrency = 32
    /// How many requests may begin; nil: as many as go.
    package var rate: TokenBucket.Rate?
    /// Events of one key go one after the other, in the order of the log.
    package var ordersByKey = false
    /// Where events are ordered by key and go together: those of one key may go in one request, because the target makes one
    /// of them.
    package var joinsKeys = false
    /// Events that go together; nil: each by itself.
    package var batch: BatchPolicy?
    /// Tries that count against the event before it becomes a dead letter.
    package var attempts = 5
    /// After how long of failing by the target's fault an event is given up; nil: never.
    package var giveUpAfterMs: Int64?
    /// Failed events that wait for another try while others go on. When there are so many, new events go one at a time.
    package var maximumOpen = 10_000
    /// Events read ahead of the cursor.
    package var window = 1024
    /// Bytes of memory the events read ahead may take.
    package var windowBytes = 1 << 20
    package var retry = BackOff()
    /// What stays unfinished of a connection that acknowledges nothing; nil: what it took is finished.
    package var resend: ResendLimits?
    /// How long a connection must stand after it took an event, for that to be finished.
    package var resendForMs: Int64 = 30_000
    /// The same once connections break again and again, which one of the events may be the cause of.
    package var resendCarefullyForMs: Int64 = 1000
    /// Connections an event is lost with before only a few are sent at once, until the bad one is found.
    package var lossesBeforeCare = 3
    /// Failures in a row by the target's fault after which the target as a whole waits.
    package var failuresBeforeWaiting = 3
    /// What a `Retry-After` is cut to.
    package var retryAfterCapMs: Int64 = 3_600_000
    /// Operations that wait for a commit. When it is full (the state file cannot be written), nothing more is sent.
    package var maximumUncommitted = 20_000
    package var maximumUncommittedBytes = 4 << 20

    package init() {}

    /// With events gathered there must be room for a whole batch beside what is read meanwhile, and for what no route took
    /// between its events.
    var windowSize: Int { max(window, 4 * (batch?.maximumEvents ?? 0)) }
    var windowFootprint: Int { max(windowBytes, 6 * (batch?.maximumBytes ?? 0)) }
    var openSize: Int { max(maximumOpen, batch?.maximumEvents ?? 0) }

    /// With so many failed events the cursor waits. The room above `maximumOpen` lets single new events show whether the
    /// target takes any: without that, many bad events could hold the cursor for ever.
    var openLimit: Int { openSize + max(16, openSize / 10) }

    /// Failed events that keep their place in the log while the whole target waits; beyond it the probes take turns.
    var maximumReturned: Int { max(concurrency, 4) }
}

/// When gathered events go: whichever comes first.
package struct BatchPolicy: Sendable, Hashable {
    package var maximumEvents: Int
    /// Of the events' texts.
    package var maximumBytes: Int
    /// How long an event waits for others.
    package var everyMs: Int64

    package init(maximumEvents: Int, maximumBytes: Int, everyMs: Int64) {
        self.maximumEvents = max(1, maximumEvents)
        self.maximumBytes = max(1, maximumBytes)
        self.everyMs = max(0, everyMs)
    }
}
