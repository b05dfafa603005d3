import Events
import JSON
import TimeZones

/// How a moment is written.
struct DateForm: Sendable, Hashable {
    enum Style: Sendable, Hashable {
        /// `2026-01-31T08:00:00.000Z`; in a zone that was asked for with its offset, `2026-01-31T09:00:00.000+01:00`.
        case rfc3339
        /// Whole seconds since 1970, a number.
        case epochSeconds
        /// Milliseconds since 1970, a number.
        case epochMilliseconds
        /// Seconds since 1970 with three decimals, a number.
        case epochDecimal
        case pattern([Piece])
    }

    enum Piece: Sendable, Hashable {
        case literal([UInt8])
        /// A letter of strftime.
        case field(UInt8)
    }

    enum Zone: Sendable, Hashable {
        case utc
        /// The zone of the event's site; UTC where that is not known.
        case site
        case named(ZoneRules)
    }

    var style: Style
    var zone = Zone.utc

    /// The letters of strftime that a pattern may hold: `%Y`, `%m`, …
    static let letters = "YymdHIMSLpzj%"
    /// The date alone: `2026-01-31`.
    static let day = [
        Piece.field(UInt8(ascii: "Y")), .literal([UInt8(ascii: "-")]), .field(UInt8(ascii: "m")),
        .literal([UInt8(ascii: "-")]), .field(UInt8(ascii: "d")),
    ]

    /// Nil for what is no time: RFC 3339, or seconds or milliseconds since 1970.
    func value(_ value: TemplateValue, _ event: EventView) -> TemplateValue? {
        guard let moment = Self.moment(value, event) else { return nil }
        let milliseconds = moment.milliseconds
        var bytes: [UInt8] = []
        switch style {
        case .epochSeconds: return .json(Array("\(Self.floor(milliseconds, 1000))".utf8))
        case .epochMilliseconds: return .json(Array("\(milliseconds)".utf8))
        case .epochDecimal:
            let fraction = "\(1000 + milliseconds.magnitude % 1000)".dropFirst()
            return .json(Array("\(milliseconds < 0 ? "-" : "")\(milliseconds.magnitude / 1000).\(fraction)".utf8))
        case .rfc3339:
            guard let offset = offset(at: milliseconds, event) else {
                moment.append(to: &bytes)
                return .text(bytes)
            }
            Timestamp(milliseconds: milliseconds + offset * 1000).append(to: &bytes)
            bytes.removeLast()
            Self.append(offset: offset, separator: ":", to: &bytes)
        case .pattern(let pieces):
            let offset = offset(at: milliseconds, event) ?? 0
            var clock: [UInt8] = []
            Timestamp(milliseconds: milliseconds + offset * 1000).append(to: &clock)
            for piece in pieces {
                switch piece {
                case .literal(let literal): bytes.append(contentsOf: literal)
                case .field(let letter): Self.append(letter, clock, offset, to: &bytes)
                }
            }
        }
        return .text(bytes)
    }

    private static func moment(_ value: TemplateValue, _ event: EventView) -> Timestamp? {
        if let text = value.string(event) { return Timestamp(text: text) }
        guard case .place(let place) = value else { return nil }
        return event.tape.double(place).flatMap { Timestamp(epoch: $0) }
    }

    /// Seconds east of UTC, whole minutes as RFC 3339 has them; nil where no zone was asked for.
    private func offset(at milliseconds: Int64, _ event: EventView) -> Int64? {
        let rules: ZoneRules
        switch zone {
        case .utc: return nil
        case .named(let named): rules = named
        case .site: rules = event.text(.siteTimezone).flatMap { TimeZoneDatabase.system.zone($0) } ?? .utc
        }
        return Int64(rules.offset(at: Self.floor(milliseconds, 1000)) / 60 * 60)
    }

    private static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
        (value - ((value % divisor) + divisor) % divisor) / divisor
    }

    /// `+01:00`
    private static func append(offset: Int64, separator: String, to bytes: inout [UInt8]) {
        let minutes = offset.magnitude / 60
        bytes.append(UInt8(ascii: offset < 0 ? "-" : "+"))
        bytes.append(contentsOf: "\(100 + minutes / 60)".utf8.dropFirst())
        bytes.append(contentsOf: separator.utf8)
        bytes.append(contentsOf: "\(100 + minutes % 60)".utf8.dropFirst())
    }

    /// - Parameter clock: `2026-01-31T08:00:00.000Z` of the zone.
    private static func append(_ letter: UInt8, _ clock: [UInt8], _ offset: Int64, to bytes: inout [UInt8]) {
        let hour = 10 * Int(clock[11] - 0x30) + Int(clock[12] - 0x30)
        switch letter {
        case UInt8(ascii: "Y"): bytes += clock[0..<4]
        case UInt8(ascii: "y"): bytes += clock[2..<4]
        case UInt8(ascii: "m"): bytes += clock[5..<7]
        case UInt8(ascii: "d"): bytes += clock[8..<10]
        case UInt8(ascii: "H"): bytes += clock[11..<13]
        case UInt8(ascii: "I"): bytes += "\(100 + (hour + 11) % 12 + 1)".utf8.dropFirst()
        case UInt8(ascii: "M"): bytes += clock[14..<16]
        case UInt8(ascii: "S"): bytes += clock[17..<19]
        case UInt8(ascii: "L"): bytes += clock[20..<23]
        case UInt8(ascii: "p"): bytes += (hour < 12 ? "AM" : "PM").utf8
        case UInt8(ascii: "z"): append(offset: offset, separator: "", to: &bytes)
        case UInt8(ascii: "j"): bytes += "\(1000 + dayOfYear(clock))".utf8.dropFirst()
        default: bytes.append(letter)
        }
    }

    private static func dayOfYear(_ clock: [UInt8]) -> Int {
        func number(_ range: Range<Int>) -> Int { clock[range].reduce(0) { 10 * $0 + Int($1 - 0x30) } }
        let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month - 1]
        return before + day + (isLeap && month > 2 ? 1 : 0)
    }
}
