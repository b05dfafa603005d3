/// Members and lists as records have them.
extension JSONWriter {
    /// Null where there is no value.
    package mutating func member(_ name: StaticString, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    /// Null where there is no value.
    package mutating func member(_ name: StaticString, _ value: Int64?) {
        key(name)
        if let value { integer(value) } else { null() }
    }

    package mutating func member(_ name: StaticString, _ texts: some Sequence<String>) {
        key(name)
        strings(texts)
    }

    /// An array of texts.
    package mutating func strings(_ texts: some Sequence<String>) {
        beginArray()
        for text in texts { string(text) }
        endArray()
    }
}
