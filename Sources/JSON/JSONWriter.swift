/// Writes one JSON text into a byte array. Commas are its own; nesting and keys are the caller's: every value in an
/// object follows its `key`.
package struct JSONWriter: Sendable {
    package var bytes: [UInt8] = []
    /// A value or member stands before what comes next in the same container.
    private var needsComma = false

    package init(reserving capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    /// Begins a text anew, keeping the storage.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        needsComma = false
    }

    /// Ends a text with a line feed, so that the next value begins another one (NDJSON).
    package mutating func endLine() {
        bytes.append(UInt8(ascii: "\n"))
        needsComma = false
    }

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    // MARK: keys and strings

    package mutating func key(_ name: StaticString) {
        name.withUTF8Buffer { name in unsafe quote(name, isKey: true) }
    }

    package mutating func key(_ name: String) {
        unsafe withUTF8(name) { name in unsafe quote(name, isKey: true) }
    }

    /// What is not well-formed UTF-8 becomes U+FFFD.
    package mutating func key(utf8 name: [UInt8]) {
        unsafe name.withUnsafeBufferPointer { name in unsafe quote(name, isKey: true) }
    }

    /// What is not well-formed UTF-8 becomes U+FFFD.
    package mutating func key(utf8 name: some Collection<UInt8>) {
        unsafe withContiguousBytes(name) { name in unsafe quote(name, isKey: true) }
    }

    package mutating func string(_ text: StaticString) {
        text.withUTF8Buffer { text in unsafe quote(text, isKey: false) }
    }

    package mutating func string(_ text: String) {
        unsafe withUTF8(text) { text in unsafe quote(text, isKey: false) }
    }

    /// What is not well-formed UTF-8 becomes U+FFFD, one for each maximal part of a sequence (Unicode, chapter 3).
    package mutating func string(utf8 text: [UInt8]) {
        unsafe text.withUnsafeBufferPointer { text in unsafe quote(text, isKey: false) }
    }

    /// What is not well-formed UTF-8 becomes U+FFFD, one for each maximal part of a sequence (Unicode, chapter 3).
    package mutating func string(utf8 text: ArraySlice<UInt8>) {
        unsafe text.withUnsafeBufferPointer { text in unsafe quote(text, isKey: false) }
    }

    /// What is not well-formed UTF-8 becomes U+FFFD, one for each maximal part of a sequence (Unicode, chapter 3).
    package mutating func string(utf8 text: some Collection<UInt8>) {
        unsafe withContiguousBytes(text) { text in unsafe quote(text, isKey: false) }
    }

    /// A string that the closure appends: only characters that need no escape.
    package mutating func plainString(_ append: (inout [UInt8]) -> Void) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        append(&bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func quote(_ text: UnsafeBufferPointer<UInt8>, isKey: Bool) {
        unsafe bytes.appendQuoted(text, comma: needsComma, colon: isKey)
        needsComma = !isKey
    }

    // MARK: other values

    package mutating func integer(_ value: Int64) {
        separate()
        bytes.appendDecimal(value)
    }

    /// The shortest text that reads back as the same number; `null` for infinities and NaN, which JSON does not have.
    package mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: value.description.utf8)
    }

    package mutating func bool(_ value: Bool) {
        raw(literal: value ? "true" : "false")
    }

    package mutating func null() {
        raw(literal: "null")
    }

    private mutating func raw(literal: StaticString) {
        literal.withUTF8Buffer { literal in unsafe value(literal) }
    }

    /// Bytes that are a JSON value already, copied as they stand.
    package mutating func raw(_ value: [UInt8]) {
        unsafe value.withUnsafeBufferPointer { bytes in unsafe self.value(bytes) }
    }

    /// Bytes that are a JSON value already, copied as they stand.
    package mutating func raw(_ value: ArraySlice<UInt8>) {
        unsafe value.withUnsafeBufferPointer { bytes in unsafe self.value(bytes) }
    }

    /// Bytes that are a JSON value already, copied as they stand.
    package mutating func raw(_ value: some Collection<UInt8>) {
        unsafe withContiguousBytes(value) { bytes in unsafe self.value(bytes) }
    }

    /// A value of a parsed text, copied as it was received.
    package mutating func raw(_ tape: JSONTape, _ index: JSONIndex) {
        let span = tape.span(index)
        unsafe tape.bytes.withUnsafeBufferPointer { bytes in unsafe value(bytes.run(span.lowerBound, span.upperBound)) }
    }

    private mutating func value(_ value: UnsafeBufferPointer<UInt8>) {
        unsafe bytes.appendValue(value, comma: needsComma)
        needsComma = true
    }
}

/// Lends the bytes in place where they lie together, else a copy.
private func withContiguousBytes(_ bytes: some Collection<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    let isDone: Void? = bytes.withContiguousStorageIfAvailable { unsafe body($0) }
    if isDone == nil { unsafe Array(bytes).withUnsafeBufferPointer { unsafe body($0) } }
}
