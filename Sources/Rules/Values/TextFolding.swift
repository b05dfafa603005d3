/// Comparing texts without regard to case (Unicode simple case folding, CaseFolding.txt status C and S) and to spaces
/// around them.
enum TextFolding {
    /// The text folded, without outer white space.
    static func key(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        var folded: [UInt8] = []
        fold(bytes, trimmed(bytes), into: &folded)
        return folded
    }

    /// The range without outer white space (Unicode White_Space).
    /// - Parameter bytes: valid UTF-8.
    static func trimmed(_ bytes: [UInt8]) -> Range<Int> {
        var start = 0
        while start < bytes.count {
            let length = spaceLength(bytes, at: start)
            guard length > 0 else { break }
            start += length
        }
        var end = bytes.count
        while end > start {
            var first = end - 1
            while first > start, bytes[first] & 0xC0 == 0x80 { first -= 1 }
            guard spaceLength(bytes, at: first) == end - first else { break }
            end = first
        }
        return start..<end
    }

    /// Appends the folded text.
    /// - Parameter bytes: valid UTF-8; the range begins and ends between characters.
    static func fold(_ bytes: [UInt8], _ range: Range<Int>, into folded: inout [UInt8]) {
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = bytes[position]
            if byte < 0x80 {
                folded.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte)
                position += 1
            } else {
                let (scalar, length) = decode(bytes, at: position)
                if let encoded = Unicode.UTF8.encode(Self.folded(scalar)) { folded.append(contentsOf: encoded) }
                position += length
            }
        }
    }

    /// The scalar that stands for its case variants. It is the lower case of the single upper case, which groups
    /// scalars exactly as simple folding does, except for the dotless i, which folds to itself.
    static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        let properties = scalar.properties
        guard properties.changesWhenCaseMapped, scalar != "\u{131}" else { return scalar }
        let upper = single(properties.uppercaseMapping) ?? scalar
        return single(upper.properties.lowercaseMapping) ?? scalar
    }

    private static func single(_ text: String) -> Unicode.Scalar? {
        let scalars = text.unicodeScalars
        guard let first = scalars.first, scalars.index(after: scalars.startIndex) == scalars.endIndex else {
            return nil
        }
        return first
    }

    private static func decode(_ bytes: [UInt8], at position: Int) -> (scalar: Unicode.Scalar, length: Int) {
        func next(_ offset: Int) -> UInt32 { UInt32(bytes[position + offset] & 0x3F) }
        let first = UInt32(bytes[position])
        let (value, length): (UInt32, Int) =
            if first < 0xE0 {
                ((first & 0x1F) << 6 | next(1), 2)
            } else if first < 0xF0 {
                ((first & 0x0F) << 12 | next(1) << 6 | next(2), 3)
            } else {
                ((first & 0x07) << 18 | next(1) << 12 | next(2) << 6 | next(3), 4)
            }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
    }

    /// The bytes of the white space character at this place; 0 when it is another.
    private static func spaceLength(_ bytes: [UInt8], at position: Int) -> Int {
        switch bytes[position] {
        case 0x20, 0x09...0x0D: return 1
        case 0xC2: return bytes[position + 1] == 0x85 || bytes[position + 1] == 0xA0 ? 2 : 0
        case 0xE1, 0xE2, 0xE3: return decode(bytes, at: position).scalar.properties.isWhitespace ? 3 : 0
        default: return 0
        }
    }
}
