package import EventLog
internal import Events

/// Notices sources that have had no event for longer than their `expect_every:`. A value without clock: a jump of the wall
/// clock moves nothing, it is asked only for how long a source had been silent before the program began.
package struct SilenceWatch: Sendable {
    /// After a start senders have this long to be heard of, or `expect_every:` where that is shorter.
    static let graceMs: Int64 = 60_000

    private struct Listening {
        var expectMs: Int64
        var accepted: Int64
        /// Of the last event, on the clock that only goes forward; the program's start where there was none.
        var sinceMs: Int64
        /// Not told of before.
        var notBeforeMs: Int64
        var isTold = false

        mutating func note(_ source: LogStatistics.Source?, _ nowMs: Int64) {
            let accepted = source?.accepted ?? 0
            guard accepted != self.accepted else { return }
            self.accepted = accepted
            sinceMs = nowMs
        }

        func isSilent(_ nowMs: Int64) -> Bool { nowMs - sinceMs > expectMs && nowMs >= notBeforeMs }
    }

    private var sources: [String: Listening] = [:]
    private let startMs: Int64

    /// - Parameter startMs: of a clock that only goes forward, as all moments here that are not said to be else.
    package init(startMs: Int64) {
        self.startMs = startMs
    }

    /// Takes over what is configured; a source that was there before is still as silent as it was.
    /// - Parameter wallMs: the wall clock.
    package mutating func adopt(
        _ configured: [SourceConfiguration], _ statistics: LogStatistics, nowMs: Int64, wallMs: Int64
    ) {
        var next: [String: Listening] = [:]
        for source in configured {
            guard let expected = source.expectEvery else { continue }
            let expectMs = Int64(expected / .milliseconds(1))
            var listening = sources[source.name] ?? listening(statistics.sources[source.name], nowMs, wallMs)
            listening.expectMs = expectMs
            listening.notBeforeMs = startMs + min(expectMs, Self.graceMs)
            next[source.name] = listening
        }
        sources = next
    }

    private func listening(_ source: LogStatistics.Source?, _ nowMs: Int64, _ wallMs: Int64) -> Listening {
        let before = source?.lastAcceptedMs.map { nowMs - max(0, wallMs - $0) }
        return Listening(
            expectMs: 0, accepted: source?.accepted ?? 0, sinceMs: before ?? startMs, notBeforeMs: startMs)
    }

    /// Looks at every source.
    /// - Returns: those that are silent for too long and were not told of since they last spoke.
    package mutating func look(_ statistics: LogStatistics, nowMs: Int64) -> [Incident] {
        var incidents: [Incident] = []
        for (name, listening) in sources.sorted(by: { $0.key < $1.key }) {
            var listening = listening
            let source = statistics.sources[name]
            listening.note(source, nowMs)
            let silentMs = nowMs - listening.sinceMs
            let isSilent = listening.isSilent(nowMs)
            if isSilent, !listening.isTold {
                incidents.append(
                    Incident(
                        .systemSourceSilent, source: name,
                        reason: source?.lastAcceptedMs == nil ? "never_heard" : "silent", count: silentMs / 1000,
                        occurrence: source?.lastAcceptedMs.map { "\($0)" } ?? "never"))
            }
            listening.isTold = isSilent
            sources[name] = listening
        }
        return incidents
    }

    /// Those that `look` would tell of: where several instances take events in, another one may have heard of them.
    /// - Parameter includesTold: those that it has told of as well.
    package func suspects(_ statistics: LogStatistics, nowMs: Int64, includesTold: Bool) -> [String] {
        sources.filter { name, listening in
            var listening = listening
            listening.note(statistics.sources[name], nowMs)
            return listening.isSilent(nowMs) && (includesTold || !listening.isTold)
        }.keys.sorted()
    }

    /// Another instance took an event of the source in.
    /// - Parameter agoMs: how long ago.
    package mutating func heard(_ source: String, agoMs: Int64, nowMs: Int64) {
        guard var listening = sources[source] else { return }
        listening.sinceMs = max(listening.sinceMs, nowMs - max(0, agoMs))
        sources[source] = listening
    }

    /// Every source that is listened for, and whether it is silent for too long.
    package var silent: [(source: String, isSilent: Bool)] {
        sources.sorted { $0.key < $1.key }.map { ($0.key, $0.value.isTold) }
    }
}
