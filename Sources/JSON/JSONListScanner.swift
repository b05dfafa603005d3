/// One element of a list: what stands between two of the list's commas, without the white space around it. It may not
/// be JSON; its own parse tells. An empty one (`[1,,2]`, `[1,]`) has an empty range, which no parse accepts.
package struct JSONListElement: Hashable, Sendable {
    /// The element's position in the list, from 0.
    package let index: Int
    /// The bytes of the whole text, counted from its first byte over all chunks.
    package let range: Range<Int>
}

/// Splits the text of a JSON array into its elements as it comes in, chunk by chunk, without parsing them. Needs no
/// memory of its own, however long or deep the text is.
///
/// An element with an error inside it is one element still, as long as it is clear where it ends: brackets must match
/// and strings end. Where they do not, the list's structure is lost: every element given before stands, and what is
/// left, from `pendingStart` on, is one piece.
package struct JSONListScanner: Sendable {
    package enum State: Hashable, Sendable {
        /// Only white space so far.
        case beginning
        /// The text begins with something else than `[`: parse it as one value.
        case notAList
        case inList
        /// The list is closed; only white space may follow.
        case complete
        /// The list's structure is lost at this byte.
        case broken(at: Int, Reason)
    }

    package enum Reason: String, Hashable, Sendable {
        /// A bracket closes one of the other kind, or none.
        case mismatchedBracket = "mismatched_bracket"
        /// A backslash outside a string: a quote before it is missing or one too many.
        case strayBackslash = "stray_backslash"
        case trailingContent = "trailing_content"
        /// The text ended before the list did.
        case unterminated
    }

    private enum Context: Sendable {
        case value
        case string
        case escape
    }

    package private(set) var state = State.beginning
    /// How many bytes were scanned.
    package private(set) var offset = 0
    /// How many elements were found.
    package private(set) var count = 0
    /// The first byte that belongs to no element given so far, of an element that is not complete or of what is left of
    /// a broken list. Keep the text from here on; nil when none of it is needed.
    package private(set) var pendingStart: Int?

    private var context = Context.value
    /// After the last byte of the pending element that is not white space.
    private var pendingEnd = 0
    /// Open brackets inside the pending element.
    private var depth = 0
    /// The kinds of the outermost 64 of them, a bit each: 1 is an object. Deeper ones are only counted.
    private var kinds: UInt64 = 0
    private var isAfterComma = false
    /// How much of a byte order mark the text begins with.
    private var markLength = 0

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    package init() {}

    /// Goes on with the next part of the text; calls `found` for each element that ends in it. After the list is broken
    /// the bytes are only counted.
    package mutating func scan(_ chunk: UnsafeRawBufferPointer, _ found: (JSONListElement) -> Void) {
        var position = 0
        loop: while position < chunk.count {
            switch state {
            case .beginning: unsafe position = scanBeginning(chunk, position)
            case .inList: unsafe position = scanList(chunk, position, found)
            case .complete: unsafe position = scanTrailing(chunk, position)
            case .notAList, .broken: break loop
            }
        }
        offset += chunk.count
    }

    /// Says that the text is over. A list that is still open is broken.
    package mutating func finish() {
        switch state {
        case .inList: lose(.unterminated, at: offset)
        case .beginning: state = .notAList
        case .notAList, .complete, .broken: break
        }
    }

    private mutating func lose(_ reason: Reason, at place: Int) {
        pendingStart = pendingStart ?? place
        state = .broken(at: place, reason)
    }

    private mutating func scanBeginning(_ chunk: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var position = start
        while position < chunk.count {
            let byte = unsafe chunk[position]
            let place = offset + position
            if place == markLength, place < Self.byteOrderMark.count, byte == Self.byteOrderMark[place] {
                markLength += 1
                // A mark cut short makes no list: then its bytes are part of the text that is none.
                pendingStart = markLength == Self.byteOrderMark.count ? nil : 0
                position += 1
                continue
            }
            if pendingStart == nil, byte == UInt8(ascii: "[") {
                state = .inList
                return position + 1
            }
            guard pendingStart == nil, byte.isJSONSpace else {
                state = .notAList
                pendingStart = pendingStart ?? place
                return chunk.count
            }
            position += 1
        }
        return position
    }

    private mutating func scanTrailing(_ chunk: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var position = start
        while position < chunk.count {
            if unsafe !chunk[position].isJSONSpace {
                lose(.trailingContent, at: offset + position)
                return position
            }
            position += 1
        }
        return position
    }
}

// MARK: inside the list

extension JSONListScanner {
    private mutating func scanList(
        _ chunk: UnsafeRawBufferPointer, _ start: Int, _ found: (JSONListElement) -> Void
    ) -> Int {
        var position = start
        while position < chunk.count {
            switch context {
            case .string:
                unsafe position = scanString(chunk, position)
                continue
            case .escape:
                context = .string
                position += 1
                continue
            case .value: break
            }
            let byte = unsafe chunk[position]
            let place = offset + position
            position += 1
            if byte.isJSONSpace { continue }
            switch byte {
            case UInt8(ascii: ",") where depth == 0:
                end(at: place, found)
                isAfterComma = true
                continue
            case UInt8(ascii: "]") where depth == 0:
                if pendingStart != nil || isAfterComma { end(at: place, found) }
                state = .complete
                return position
            case UInt8(ascii: "\""): context = .string
            case UInt8(ascii: "{"), UInt8(ascii: "["): open(isObject: byte == UInt8(ascii: "{"))
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard close(isObject: byte == UInt8(ascii: "}")) else {
                    lose(.mismatchedBracket, at: place)
                    return position
                }
            case UInt8(ascii: "\\"):
                lose(.strayBackslash, at: place)
                return position
            default: break
            }
            if pendingStart == nil { pendingStart = place }
            pendingEnd = place + 1
        }
        return position
    }

    /// Goes to the closing quote or the next backslash.
    private mutating func scanString(_ chunk: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var position = start
        while position < chunk.count {
            let byte = unsafe chunk[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                context = .value
                pendingEnd = offset + position
                break
            }
            if byte == UInt8(ascii: "\\") {
                context = .escape
                break
            }
        }
        return position
    }

    private mutating func open(isObject: Bool) {
        if depth < 64 {
            let bit: UInt64 = 1 << UInt64(depth)
            kinds = isObject ? kinds | bit : kinds & ~bit
        }
        depth += 1
    }

    /// False when no bracket of this kind is open.
    private mutating func close(isObject: Bool) -> Bool {
        guard depth > 0 else { return false }
        depth -= 1
        guard depth < 64 else { return true }
        return (kinds >> UInt64(depth) & 1 == 1) == isObject
    }

    private mutating func end(at place: Int, _ found: (JSONListElement) -> Void) {
        let range = pendingStart.map { $0..<pendingEnd } ?? place..<place
        pendingStart = nil
        found(JSONListElement(index: count, range: range))
        count += 1
    }
}

extension UInt8 {
    fileprivate var isJSONSpace: Bool {
        self == UInt8(ascii: " ") || self == UInt8(ascii: "\n") || self == UInt8(ascii: "\r")
            || self == UInt8(ascii: "\t")
    }
}
