/// Finding bytes in bytes.
enum ByteSearch {
    /// Up to so many bytes of text, comparing at every place costs less than the table that saves it.
    private static let short = 128

    /// Where the first place of the pattern begins, in time linear in pattern and text together (Knuth, Morris and Pratt).
    /// - Parameter steps: grows by the comparisons made.
    static func find(_ pattern: [UInt8], in text: [UInt8], _ range: Range<Int>, steps: inout Int) -> Int? {
        guard range.count >= pattern.count else { return nil }
        guard let first = pattern.first else { return range.lowerBound }
        let last = range.upperBound - pattern.count
        if range.count <= short {
            steps += range.count
            for start in range.lowerBound...last where text[start] == first {
                if stands(pattern, in: text, at: start) { return start }
            }
            return nil
        }
        let borders = self.borders(pattern)
        var matched = 0
        for position in range {
            let byte = text[position]
            steps += 1
            while matched > 0, pattern[matched] != byte {
                matched = borders[matched - 1]
                steps += 1
            }
            if pattern[matched] == byte { matched += 1 }
            if matched == pattern.count { return position + 1 - matched }
        }
        return nil
    }

    private static func stands(_ pattern: [UInt8], in text: [UInt8], at start: Int) -> Bool {
        for index in pattern.indices where text[start + index] != pattern[index] { return false }
        return true
    }

    /// For each beginning of the pattern the length of its longest proper beginning that is also its ending.
    private static func borders(_ pattern: [UInt8]) -> [Int] {
        var borders = [Int](repeating: 0, count: pattern.count)
        var matched = 0
        for index in pattern.indices.dropFirst() {
            while matched > 0, pattern[matched] != pattern[index] { matched = borders[matched - 1] }
            if pattern[matched] == pattern[index] { matched += 1 }
            borders[index] = matched
        }
        return borders
    }
}
