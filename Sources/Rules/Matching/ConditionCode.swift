/// One step of a compiled condition: an operation and a number. `all` and `any` are followed by their parts, `facts` and
/// `noFacts` by so many facts.
struct Step {
    enum Operation: Int32 {
        /// This fact is true; is not.
        case fact, noFact
        /// One of these facts is true; none is.
        case facts, noFacts
        /// The event's time is inside this calendar; outside. Without a time it is neither.
        case inside, outside, notInside, notOutside
        /// All of the parts in so many steps; any.
        case all, any
        /// This condition holds, found out once for an event; does not.
        case named, notNamed
    }

    let raw: Int32

    init(raw: Int32) { self.raw = raw }
    init(_ operation: Operation, _ number: Int32) { raw = number << 4 | operation.rawValue }

    // Only those twelve are made.
    var operation: Operation { Operation(rawValue: raw & 15)! }
    var number: Int32 { raw >> 4 }

    /// How many steps this one and what belongs to it take.
    var length: Int {
        switch operation {
        case .all, .any, .facts, .noFacts: 1 + Int(number)
        default: 1
        }
    }
}

/// The truth of what cannot always be decided.
enum Truth: UInt8 {
    case fails, holds, undecidable
}
