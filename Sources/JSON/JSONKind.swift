/// What a JSON value is.
package enum JSONKind: UInt8, Sendable {
    case null
    case boolTrue
    case boolFalse
    /// A number without fraction and exponent that fits `Int64`.
    case integer
    /// Any other number, whether or not a machine type holds it.
    case decimal
    case string
    case array
    case object
}

/// A value's place in the tape it was taken from.
package struct JSONIndex: Hashable, Sendable {
    package let raw: UInt32

    init(raw: UInt32) {
        self.raw = raw
    }
}
