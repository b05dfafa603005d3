import JSON

/// How `key=value` pairs of a format are written.
protocol PairSyntax {
    /// Between pairs.
    static var separator: UInt8 { get }
    /// What follows a key to make that of its label.
    static var labelSuffix: StaticString { get }
    /// The pair that lists what was shortened or left out.
    static var truncated: (key: StaticString, label: StaticString?) { get }
    /// What stands in a value as it is.
    static var plain: PlainBytes { get }
    /// Appends what stands for an ASCII character, or a control character beyond ASCII, that is not plain.
    static func append(_ byte: UInt8, to line: inout [UInt8])
    /// Bytes of the character or escape that begins there in a value as it is written.
    static func width(_ line: [UInt8], _ position: Int) -> Int
}

/// A line of `key=value` pairs behind a header, written straight into one buffer.
struct PairLine<Syntax: PairSyntax> {
    private struct Pair {
        let key: StaticString
        /// What the key's companion says; words of our own, with nothing to escape.
        let label: StaticString?
        /// As it is written.
        let value: Range<Int>

        /// Bytes with `=` and the separator from its neighbour, without the value.
        var frame: Int {
            let companion = label.map {
                key.utf8CodeUnitCount + Syntax.labelSuffix.utf8CodeUnitCount + 2 + $0.utf8CodeUnitCount
            }
            return key.utf8CodeUnitCount + 2 + (companion ?? 0)
        }
    }

    private(set) var bytes: [UInt8]
    private let headerSize: Int
    private var pairs: [Pair] = []

    init(header: some Collection<UInt8>) {
        bytes = []
        bytes.reserveCapacity(1024)
        bytes.append(contentsOf: header)
        headerSize = bytes.count
        pairs.reserveCapacity(32)
    }

    // MARK: adding

    /// Adds a pair; one without a value is left out, its label too.
    mutating func add(_ key: StaticString, label: StaticString? = nil, _ tape: JSONTape, _ place: JSONIndex) {
        if tape.hasEscapes(place) {
            var text: [UInt8] = []
            tape.appendText(place, to: &text)
            return add(key, label: label, text)
        }
        let span = tape.span(place)
        let isString = tape.kind(place) == .string
        add(key, label: label, tape.bytes, isString ? span.lowerBound + 1..<span.upperBound - 1 : span)
    }

    /// - Parameter text: well-formed UTF-8.
    mutating func add(_ key: StaticString, label: StaticString? = nil, _ text: [UInt8]) {
        add(key, label: label, text, text.indices)
    }

    /// Words of our own, with nothing to escape.
    mutating func add(_ key: StaticString, plain text: StaticString) {
        let start = begin(key)
        Self.append(text, to: &bytes)
        end(key, nil, start)
    }

    mutating func add(_ key: StaticString, _ number: Int64) {
        let start = begin(key)
        bytes.append(contentsOf: String(number).utf8)
        end(key, nil, start)
    }

    private mutating func add(
        _ key: StaticString, label: StaticString?, _ source: [UInt8], _ range: Range<Int>
    ) {
        guard !range.isEmpty else { return }
        let before = bytes.count
        let start = begin(key)
        if !appendPlain(source, range) {
            bytes.removeSubrange(start...)
            appendEscaped(UTF8Text.trimmed(source[range]))
        }
        if bytes.count > start { end(key, label, start) } else { bytes.removeSubrange(before...) }
    }

    /// Most values need nothing but to be copied.
    /// - Returns: false when this one does; then it may have been begun.
    private mutating func appendPlain(_ source: [UInt8], _ range: Range<Int>) -> Bool {
        guard source[range.lowerBound] != UInt8(ascii: " "), source[range.upperBound - 1] != UInt8(ascii: " ") else {
            return false
        }
        let plain = Syntax.plain
        var isPlain = true
        bytes.append(addingCapacity: range.count) { output in
            for position in range {
                let byte = source[position]
                guard plain[byte] else {
                    isPlain = false
                    return
                }
                output.append(byte)
            }
        }
        return isPlain
    }

    /// What became a space at either end is left out.
    private mutating func appendEscaped(_ text: ArraySlice<UInt8>) {
        let plain = Syntax.plain
        let start = bytes.count
        var position = text.startIndex
        while position < text.endIndex {
            let byte = text[position]
            let width = UTF8Text.width(byte)
            if plain[byte] {
                bytes.append(byte)
            } else if byte < 0x80 || UTF8Text.isControl(text, position) {
                Syntax.append(byte, to: &bytes)
            } else {
                bytes.append(contentsOf: text[position..<position + width])
            }
            if bytes.count == start + 1, bytes[start] == UInt8(ascii: " ") { bytes.removeLast() }
            position += width
        }
        while bytes.count > start, bytes[bytes.count - 1] == UInt8(ascii: " ") { bytes.removeLast() }
    }

    private mutating func begin(_ key: StaticString) -> Int {
        if !pairs.isEmpty { bytes.append(Syntax.separator) }
        Self.append(key, to: &bytes)
        bytes.append(UInt8(ascii: "="))
        return bytes.count
    }

    private mutating func end(_ key: StaticString, _ label: StaticString?, _ start: Int) {
        pairs.append(Pair(key: key, label: label, value: start..<bytes.count))
        guard let label else { return }
        bytes.append(Syntax.separator)
        Self.append(key, to: &bytes)
        Self.append(Syntax.labelSuffix, to: &bytes)
        bytes.append(UInt8(ascii: "="))
        Self.append(label, to: &bytes)
    }

    // MARK: shortening

    /// The line in so many bytes: the longest values are shortened to one common length, and pairs are left out, the last
    /// first, where even short values do not fit. A last pair names what was touched.
    func shortened(to limit: Int) throws(RenderingError) -> [UInt8] {
        guard bytes.count > limit else { return bytes }
        let room = limit - headerSize + 1
        let shortest = 16
        var kept = pairs.count
        while kept > 0, size(kept, cap: shortest) > room { kept -= 1 }
        guard kept > 0 else {
            throw RenderingError("not even the first field fits in \(max(limit, 0)) bytes: raise max_bytes")
        }
        var (fitting, excessive) = (shortest, max(limit, shortest + 1))
        while excessive - fitting > 1 {
            let middle = (fitting + excessive) / 2
            if size(kept, cap: middle) <= room { fitting = middle } else { excessive = middle }
        }
        return written(kept, cap: fitting)
    }

    /// Bytes of the pairs, the separator behind the last one and the list of what was touched included.
    private func size(_ kept: Int, cap: Int) -> Int {
        let list = Pair(key: Syntax.truncated.key, label: Syntax.truncated.label, value: 0..<0)
        var size = list.frame
        for (place, pair) in pairs.enumerated() {
            if place < kept { size += pair.frame + min(pair.value.count, cap) }
            if place >= kept || pair.value.count > cap { size += pair.key.utf8CodeUnitCount + 1 }
        }
        return size
    }

    private func written(_ kept: Int, cap: Int) -> [UInt8] {
        var line = PairLine(header: bytes[..<headerSize])
        var touched: [UInt8] = []
        for (place, pair) in pairs.enumerated() {
            let end = place < kept ? cut(pair.value, to: cap) : pair.value.lowerBound
            if end < pair.value.upperBound {
                if !touched.isEmpty { touched.append(UInt8(ascii: ",")) }
                Self.append(pair.key, to: &touched)
            }
            guard end > pair.value.lowerBound else { continue }
            let start = line.begin(pair.key)
            line.bytes.append(contentsOf: bytes[pair.value.lowerBound..<end])
            line.end(pair.key, pair.label, start)
        }
        line.add(Syntax.truncated.key, label: Syntax.truncated.label, touched)
        return line.bytes
    }

    /// Where a value ends that is cut at a whole character, outside of an escape, and without white space at its end.
    private func cut(_ value: Range<Int>, to limit: Int) -> Int {
        guard value.count > limit else { return value.upperBound }
        var end = value.lowerBound
        while true {
            let width = Syntax.width(bytes, end)
            guard end + width <= value.lowerBound + limit else { break }
            end += width
        }
        return UTF8Text.trimmed(bytes[value.lowerBound..<end]).endIndex
    }

    private static func append(_ text: StaticString, to line: inout [UInt8]) {
        text.withUTF8Buffer { unsafe line.append(contentsOf: $0) }
    }
}
