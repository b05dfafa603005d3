internal import Addresses
internal import Synchronization

/// Bounds how many wrong tokens an address may try. The same wrong token counts once, so that a forgotten script locks
/// nobody out.
final class GuessLimit: Sendable {
    /// Wrong tokens in a row.
    static let guesses = 10
    /// After that, one more in every so many seconds.
    static let secondsPerGuess: Int64 = 10
    /// Addresses remembered: beyond that the one that failed longest ago is forgotten.
    static let addresses = 1024

    private struct Record {
        /// Moments until which each guess counts, in milliseconds; never more than `guesses`.
        var spentUntilMs: [Int64] = []
        /// Beginnings of the digests of the last wrong tokens.
        var tried: [UInt64] = []
        var lastMs: Int64 = 0
    }

    private let records = Mutex<[IPAddress: Record]>([:])

    /// Seconds until the address may try again; nil when it may now.
    func wait(_ address: IPAddress, nowMs: Int64) -> Int? {
        records.withLock { records in
            guard let record = records[address] else { return nil }
            let spent = record.spentUntilMs.filter { $0 > nowMs }
            guard spent.count >= Self.guesses, let first = spent.min() else { return nil }
            return Int((first - nowMs + 999) / 1000)
        }
    }

    /// Takes note of a wrong token.
    func failed(_ address: IPAddress, digest: [UInt8], nowMs: Int64) {
        let mark = digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        records.withLock { records in
            var record = records[address] ?? Record()
            record.lastMs = nowMs
            if !record.tried.contains(mark) {
                record.tried = Array((record.tried + [mark]).suffix(Self.guesses))
                record.spentUntilMs = record.spentUntilMs.filter { $0 > nowMs }
                let free = max(nowMs, record.spentUntilMs.max() ?? nowMs)
                record.spentUntilMs.append(free + Self.secondsPerGuess * 1000)
            }
            if records[address] == nil, records.count >= Self.addresses,
                let oldest = records.min(by: { $0.value.lastMs < $1.value.lastMs })?.key
            {
                records[oldest] = nil
            }
            records[address] = record
        }
    }
}
