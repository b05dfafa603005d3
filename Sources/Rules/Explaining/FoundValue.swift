internal import Events
internal import JSON
internal import TimeZones

/// A field's value as people are shown it.
extension FieldValues {
    /// Characters; a visitor may have typed any number.
    private static let longest = 200

    var state: Question.State {
        switch situation {
        case .absent: .absent
        case .null: .null
        case .empty: .empty
        case .white: .blank
        default: .present
        }
    }

    /// The value as JSON, shortened, on one line and harmless for a terminal; nil when absent.
    var shown: String? {
        guard let place else { return nil }
        let span = tape.span(place)
        // A character has at most four bytes.
        let begin = tape.bytes[span].prefix(4 * Self.longest)
        let scalars = String(decoding: begin, as: UTF8.self).unicodeScalars
        let text = harmless(scalars.prefix(Self.longest))
        let isWhole = begin.count == span.count && scalars.count <= Self.longest
        return isWhole ? text : text + "… (\(span.count) bytes)"
    }

    /// Control characters and what changes the direction of writing are shown as codes.
    private func harmless(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var text = ""
        for scalar in scalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
                text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

extension RuleCalendar {
    /// `tue 2024-07-30 09:15`.
    static func phrase(_ clock: ClockTime) -> String {
        let date = Timestamp(milliseconds: clock.day * 86_400_000 + Int64(clock.minute) * 60_000).text
        let text = date.utf8
        let day = String(decoding: Array(text.prefix(10)), as: UTF8.self)
        let time = String(decoding: Array(text.dropFirst(11).prefix(5)), as: UTF8.self)
        return "\(dayNames[ClockTime.weekday(ofDay: clock.day)]) \(day) \(time)"
    }
}
