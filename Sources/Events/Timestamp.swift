internal import Glibc

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
package struct Timestamp: Hashable, Sendable, Comparable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The wall clock.
    package static func now() -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    package static func < (one: Timestamp, other: Timestamp) -> Bool { one.milliseconds < other.milliseconds }

    /// RFC 3339 in UTC with three fraction digits: `2020-01-01T12:00:01.000Z`.
    package var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the 24 bytes of `text`. Years outside 0 to 9999 are clamped.
    package func append(to bytes: inout [UInt8]) {
        let clamped = min(max(milliseconds, Self.earliest), Self.latest)
        let (days, inDay) = Self.floorDivide(clamped, 86_400_000)
        let date = CivilDate(daysSinceEpoch: days)
        func append(_ value: Int64) {
            bytes.append(0x30 + UInt8(truncatingIfNeeded: value / 10))
            bytes.append(0x30 + UInt8(truncatingIfNeeded: value % 10))
        }
        append(date.year / 100)
        append(date.year % 100)
        bytes.append(0x2D)
        append(date.month)
        bytes.append(0x2D)
        append(date.day)
        bytes.append(0x54)
        append(inDay / 3_600_000)
        bytes.append(0x3A)
        append(inDay / 60_000 % 60)
        bytes.append(0x3A)
        append(inDay / 1000 % 60)
        bytes.append(0x2E)
        append(inDay % 1000 / 10)
        bytes.append(0x30 + UInt8(truncatingIfNeeded: inDay % 10))
        bytes.append(0x5A)
    }

    private static let earliest = CivilDate(year: 0, month: 1, day: 1).daysSinceEpoch * 86_400_000
    private static let latest = CivilDate(year: 10_000, month: 1, day: 1).daysSinceEpoch * 86_400_000 - 1

    static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let remainder = ((value % divisor) + divisor) % divisor
        return ((value - remainder) / divisor, remainder)
    }
}

/// A day of the proleptic Gregorian calendar.
struct CivilDate {
    let year: Int64
    let month: Int64
    let day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Counting in years that begin in March puts the leap day last, so that months have a closed form.
    init(daysSinceEpoch: Int64) {
        let (era, dayOfEra) = Timestamp.floorDivide(daysSinceEpoch + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSinceEpoch: Int64 {
        let marchYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = Timestamp.floorDivide(marchYear, 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    var isValid: Bool {
        guard (1...12).contains(month), day >= 1 else { return false }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return day <= [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Int(month) - 1]
    }
}

extension Timestamp {
    /// Reads the forms the senders use: RFC 3339 (`2024-07-30T01:49:27.069Z`, `+10:00`), the same with a space in place
    /// of `T`, with a trailing ` UTC`, and without a zone, which means UTC (Envoy). Nil for anything else.
    package init?(text: some Collection<UInt8>) {
        guard text.count <= 40, let moment = text.withContiguousStorageIfAvailable({ unsafe TimestampReader.read($0) })
        else { return nil }
        guard let moment else { return nil }
        self = moment
    }

    package init?(_ text: String) {
        self.init(text: Array(text.utf8))
    }

    /// Seconds since 1970, whole or with a fraction; what reads as milliseconds (beyond the year 5138) is taken as such.
    package init?(epoch: Double) {
        guard epoch.isFinite, abs(epoch) < 1e15 else { return nil }
        self.init(milliseconds: Int64((abs(epoch) >= 1e11 ? epoch : epoch * 1000).rounded()))
    }
}

private enum TimestampReader {
    static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        var position = 0
        func digits(_ count: Int) -> Int64? {
            guard position + count <= bytes.count else { return nil }
            var value: Int64 = 0
            for _ in 0..<count {
                let digit = unsafe bytes[position]
                guard (0x30...0x39).contains(digit) else { return nil }
                value = value * 10 + Int64(digit - 0x30)
                position += 1
            }
            return value
        }
        func take(_ character: Unicode.Scalar) -> Bool {
            guard position < bytes.count, unsafe bytes[position] == UInt8(ascii: character) else { return false }
            position += 1
            return true
        }

        guard let year = digits(4), take("-"), let month = digits(2), take("-"), let day = digits(2),
            take("T") || take("t") || take(" "),
            let hour = digits(2), take(":"), let minute = digits(2), take(":"), let second = digits(2)
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        guard date.isValid, hour < 24, minute < 60, second <= 60 else { return nil }

        var fraction: Int64 = 0
        if take(".") {
            var scale: Int64 = 100
            guard let first = digits(1) else { return nil }
            fraction = first * scale
            while let next = digits(1) {
                scale /= 10
                fraction += next * scale
            }
        }

        var offsetMinutes: Int64 = 0
        _ = take(" ")
        if take("Z") || take("z") || position == bytes.count {
        } else if take("U") {
            guard take("T"), take("C") else { return nil }
        } else {
            let sign: Int64 = take("-") ? -1 : 1
            guard sign == -1 || take("+"), let hours = digits(2) else { return nil }
            _ = take(":")
            guard let minutes = digits(2), hours < 24, minutes < 60 else { return nil }
            offsetMinutes = sign * (hours * 60 + minutes)
        }
        guard position == bytes.count else { return nil }
        let minutes = (date.daysSinceEpoch * 24 + hour) * 60 + minute - offsetMinutes
        return Timestamp(milliseconds: (minutes * 60 + second) * 1000 + fraction)
    }
}
