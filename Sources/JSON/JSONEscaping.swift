extension [UInt8] {
    /// Appends the text as a JSON string: quotes around it, `"`, `\` and control characters escaped, what is not
    /// well-formed UTF-8 replaced by U+FFFD, everything else as it stands. A comma before it and a colon after it are
    /// written in the same go.
    mutating func appendQuoted(_ text: UnsafeBufferPointer<UInt8>, comma: Bool, colon: Bool) {
        guard unsafe text.endOfPlainText(from: 0) == text.count else {
            return unsafe appendEscaped(text, comma: comma, colon: colon)
        }
        append(addingCapacity: text.count + 4) { output in
            if comma { output.append(UInt8(ascii: ",")) }
            output.append(UInt8(ascii: "\""))
            unsafe output.append(copying: text)
            output.append(UInt8(ascii: "\""))
            if colon { output.append(UInt8(ascii: ":")) }
        }
    }

    /// Appends bytes as they stand, a comma before them.
    mutating func appendValue(_ value: UnsafeBufferPointer<UInt8>, comma: Bool) {
        append(addingCapacity: value.count + 1) { output in
            if comma { output.append(UInt8(ascii: ",")) }
            unsafe output.append(copying: value)
        }
    }

    private mutating func appendEscaped(_ text: UnsafeBufferPointer<UInt8>, comma: Bool, colon: Bool) {
        if comma { append(UInt8(ascii: ",")) }
        append(UInt8(ascii: "\""))
        var begin = 0
        var position = 0
        while true {
            unsafe position = text.endOfPlainText(from: position)
            guard position < text.count else { break }
            let byte = unsafe text[position]
            if byte >= 0x80 {
                let sequence = unsafe text.sequence(at: position)
                position += sequence.length
                if sequence.isWellFormed { continue }
                unsafe append(contentsOf: text.run(begin, position - sequence.length))
                append(contentsOf: [0xEF, 0xBF, 0xBD])
            } else {
                unsafe append(contentsOf: text.run(begin, position))
                appendEscape(byte)
                position += 1
            }
            begin = position
        }
        unsafe append(contentsOf: text.run(begin, text.count))
        append(UInt8(ascii: "\""))
        if colon { append(UInt8(ascii: ":")) }
    }

    private mutating func appendEscape(_ byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
        case 0x08: append(UInt8(ascii: "b"))
        case 0x09: append(UInt8(ascii: "t"))
        case 0x0A: append(UInt8(ascii: "n"))
        case 0x0C: append(UInt8(ascii: "f"))
        case 0x0D: append(UInt8(ascii: "r"))
        default:
            append(UInt8(ascii: "u"))
            append(UInt8(ascii: "0"))
            append(UInt8(ascii: "0"))
            append(Self.hexDigit(byte >> 4))
            append(Self.hexDigit(byte & 15))
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    mutating func appendDecimal(_ value: Int64) {
        var magnitude = value.magnitude
        if value < 0 { append(UInt8(ascii: "-")) }
        let begin = count
        repeat {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude % 10))
            magnitude /= 10
        } while magnitude > 0
        self[begin...].reverse()
    }
}

extension UnsafeBufferPointer<UInt8> {
    func run(_ begin: Int, _ end: Int) -> UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(rebasing: self[begin..<end])
    }

    /// The first position from `position` on that holds a quote, a backslash, a control character or the beginning of
    /// anything beyond ASCII; the end when there is none. Looks at eight bytes at a time.
    func endOfPlainText(from position: Int) -> Int {
        var position = position
        while position + 8 <= count {
            let word = unsafe UnsafeRawPointer(baseAddress! + position).loadUnaligned(as: UInt64.self)
            let special = specialBytes(UInt64(littleEndian: word))
            if special != 0 { return position + special.trailingZeroBitCount / 8 }
            position += 8
        }
        while position < count {
            let byte = unsafe self[position]
            if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
            position += 1
        }
        return position
    }

    /// The sequence that begins at a byte beyond ASCII: a well-formed one, or the maximal part of one (Unicode, table
    /// 3-7), at least one byte.
    func sequence(at position: Int) -> (length: Int, isWellFormed: Bool) {
        let lead = unsafe self[position]
        let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
        guard (0xC2...0xF4).contains(lead) else { return (1, false) }
        for offset in 1..<length {
            guard position + offset < count else { return (offset, false) }
            let byte = unsafe self[position + offset]
            let range = offset == 1 ? secondBytes(after: lead) : 0x80...0xBF
            guard range.contains(byte) else { return (offset, false) }
        }
        return (length, true)
    }
}

/// The high bit of each special byte; above the lowest one there may be false ones, from borrows.
private func specialBytes(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let control = word &- ones &* 0x20
    let quote = (word ^ ones &* 0x22) &- ones
    let backslash = (word ^ ones &* 0x5C) &- ones
    return (control & ~word | quote & ~(word ^ ones &* 0x22) | backslash & ~(word ^ ones &* 0x5C) | word)
        & (ones &* 0x80)
}

private func secondBytes(after lead: UInt8) -> ClosedRange<UInt8> {
    switch lead {
    case 0xE0: 0xA0...0xBF
    case 0xED: 0x80...0x9F
    case 0xF0: 0x90...0xBF
    case 0xF4: 0x80...0x8F
    default: 0x80...0xBF
    }
}

extension OutputSpan<UInt8> {
    /// Appends all of `source`, for which there is room.
    fileprivate mutating func append(copying source: UnsafeBufferPointer<UInt8>) {
        unsafe withUnsafeMutableBufferPointer { buffer, count in
            let room = unsafe UnsafeMutableBufferPointer(rebasing: buffer[count...])
            _ = unsafe room.update(fromContentsOf: source)
            count += source.count
        }
    }
}
