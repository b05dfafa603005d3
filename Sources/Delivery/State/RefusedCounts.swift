internal import JSON
package import Targets

/// How many of the filtered events a route had taken, and the target itself did not, by why.
package struct RefusedCounts: Sendable, Hashable {
    private var noConsent: Int64 = 0
    private var noKey: Int64 = 0
    private var optedOut: Int64 = 0
    private var notEnabled: Int64 = 0

    package init() {}

    package subscript(reason: FilteredReason) -> Int64 {
        get {
            switch reason {
            case .noConsent: noConsent
            case .noKey: noKey
            case .optedOut: optedOut
            case .notEnabled: notEnabled
            }
        }
        set {
            switch reason {
            case .noConsent: noConsent = newValue
            case .noKey: noKey = newValue
            case .optedOut: optedOut = newValue
            case .notEnabled: notEnabled = newValue
            }
        }
    }

    /// `{no_route, no_consent, no_key, opted_out, event_not_enabled}`
    /// - Parameter filtered: all that were filtered.
    func appendJSON(to writer: inout JSONWriter, filtered: Int64) {
        writer.beginObject()
        writer.member("no_route", filtered - sum)
        for reason in FilteredReason.allCases {
            writer.key(reason.rawValue)
            writer.integer(self[reason])
        }
        writer.endObject()
    }

    package var sum: Int64 { noConsent + noKey + optedOut + notEnabled }

    package mutating func add(_ other: RefusedCounts) {
        for reason in FilteredReason.allCases { self[reason] += other[reason] }
    }

    static func += (one: inout RefusedCounts, other: RefusedCounts) { one.add(other) }

    static func -= (one: inout RefusedCounts, other: RefusedCounts) {
        for reason in FilteredReason.allCases { one[reason] -= other[reason] }
    }

    /// `no_key=3,opted_out=1`; empty where there are none.
    package var text: String {
        FilteredReason.allCases.filter { self[$0] != 0 }.map { "\($0.rawValue)=\(self[$0])" }.joined(separator: ",")
    }

    /// Reasons that are not known are left out.
    package init(_ text: String) {
        for part in text.split(separator: ",") {
            let halves = part.split(separator: "=")
            guard halves.count == 2, let reason = FilteredReason(rawValue: String(halves[0])) else { continue }
            self[reason] = Int64(halves[1]) ?? 0
        }
    }
}
