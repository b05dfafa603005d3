/// Numbers with a unit.
enum Quantity {
    enum Reading: Equatable {
        case value(Int64)
        /// Not one; perhaps this was meant.
        case wrong(suggestion: String?)
    }

    private static let durationUnits: [(name: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]
    private static let longestDuration: Int64 = 36_525 * 86_400_000
    private static let otherDurationUnits: [String: String] = [
        "": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m", "minute": "m",
        "minutes": "m", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "day": "d", "days": "d", "msec": "ms",
        "milliseconds": "ms",
    ]

    private static let sizeUnits: [(name: String, bytes: Int64)] = [
        ("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
    ]
    private static let otherSizeUnits: [String: String] = [
        "b": "B", "k": "KiB", "kb": "KiB", "kib": "KiB", "m": "MiB", "mb": "MiB", "mib": "MiB", "g": "GiB",
        "gb": "GiB", "gib": "GiB", "t": "TiB", "tb": "TiB", "tib": "TiB",
    ]

    /// In milliseconds.
    static func duration(_ text: String) -> Reading {
        guard let (number, unit) = split(text) else { return .wrong(suggestion: nil) }
        if let scale = durationUnits.first(where: { $0.name == unit })?.milliseconds {
            let (value, overflow) = number.multipliedReportingOverflow(by: scale)
            return overflow || value > longestDuration ? .wrong(suggestion: nil) : .value(value)
        }
        let spelt = relaxed(unit)
        let meant = durationUnits.first { $0.name == spelt }?.name ?? otherDurationUnits[spelt]
        return .wrong(suggestion: meant.map { "\(number)\($0)" })
    }

    /// In bytes.
    static func size(_ text: String) -> Reading {
        guard let (number, unit) = split(text) else { return .wrong(suggestion: nil) }
        if let scale = sizeUnits.first(where: { $0.name == unit })?.bytes {
            let (value, overflow) = number.multipliedReportingOverflow(by: scale)
            return overflow ? .wrong(suggestion: nil) : .value(value)
        }
        return .wrong(suggestion: otherSizeUnits[relaxed(unit)].map { "\(number)\($0)" })
    }

    /// The largest unit that divides it: `24h` for a day is `1d`.
    static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
        let unit = durationUnits.last { milliseconds != 0 && milliseconds % $0.milliseconds == 0 } ?? ("s", 1000)
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }

    private static func split(_ text: String) -> (number: Int64, unit: String)? {
        let digits = text.utf8.prefix { 0x30...0x39 ~= $0 }
        guard !digits.isEmpty, digits.count <= 18, let number = Int64(String(decoding: digits, as: UTF8.self)) else {
            return nil
        }
        return (number, String(decoding: text.utf8.dropFirst(digits.count), as: UTF8.self))
    }

    /// The unit as people may spell it: any case, spaces before it.
    private static func relaxed(_ unit: String) -> String {
        String(unit.drop { $0 == " " }).lowercased()
    }
}
