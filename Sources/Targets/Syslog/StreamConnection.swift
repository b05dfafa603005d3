/// A connection of a target whose receiver acknowledges nothing. Later ones are greater.
package struct StreamConnection: Sendable, Hashable, Comparable {
    /// Which of a target's versions made it; what runs targets fills it in.
    package var sink: Int
    /// Counts from 1.
    package var number: Int

    package init(sink: Int = 0, number: Int) {
        self.sink = sink
        self.number = number
    }

    package static func < (one: Self, other: Self) -> Bool { (one.sink, one.number) < (other.sink, other.number) }
}

/// What a target tells of such a connection. Nothing of what it took is told after it has ended.
package enum ConnectionNews: Sendable, Hashable {
    /// The other end was heard from a moment ago, and its system has acknowledged everything that was taken so long before.
    case healthy(number: Int, age: Duration)
    /// It was closed in order, and the receiver has read it to its end.
    case drained(number: Int)
    /// It broke: what it took last may never have been read. Nothing is sent until `Target.forgetLost` of this number. The
    /// code is that of the failure.
    case lost(number: Int, code: String)
}

/// How much of what a connection took last stays unfinished, so that it is sent again when the connection breaks.
package struct ResendLimits: Sendable, Hashable {
    package var messages: Int
    /// Of the messages as they were sent.
    package var bytes: Int
    /// What a connection took so long ago, and stands since, is finished.
    package var time: Duration

    package init(messages: Int = 20_000, bytes: Int = 4 << 20, time: Duration = .seconds(30)) {
        self.messages = messages
        self.bytes = bytes
        self.time = time
    }
}
