internal import CRE2

extension RegularExpression {
    /// Folded texts, one of which stands in every text that the expression matches; empty when there is no such choice.
    ///
    /// RE2 gives them in its own lower case, which is one of the letters that fold to the same; outer white space is cut
    /// off, as it is of the texts in which they are looked for.
    var requiredTexts: [[UInt8]] {
        var pattern = pattern
        let texts = pattern.withUTF8 { text in
            unsafe text.withMemoryRebound(to: CChar.self) { text in
                unsafe cre2_required_texts(text.baseAddress, text.count, Self.largestMemory)
            }
        }
        guard let texts = unsafe texts else { return [] }
        defer { unsafe cre2_texts_destroy(texts) }
        var required: Set<[UInt8]> = []
        for index in unsafe 0..<cre2_texts_count(texts) {
            var count = 0
            let start = unsafe cre2_text(texts, index, &count)
            let bytes = unsafe UnsafeBufferPointer(start: start, count: count).map { UInt8(bitPattern: $0) }
            guard let text = String(validating: bytes, as: UTF8.self) else { return [] }
            let folded = TextFolding.key(text)
            guard !folded.isEmpty else { return [] }
            required.insert(folded)
        }
        return required.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
