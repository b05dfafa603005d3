internal import JSON

/// Sets or removes one value of a JSON text; all others are copied as they stand.
struct JSONEdit {
    let pointer: JSONPointer
    /// JSON text; nil removes the value.
    let value: [UInt8]?

    struct Failure: Error {
        var message: String
    }

    /// Objects that are missing on the way are made; an array takes a new element at its end.
    func applied(to tape: JSONTape) throws(Failure) -> [UInt8] {
        var writer = JSONWriter(reserving: tape.bytes.count + (value?.count ?? 0) + 64)
        try write(tape, tape.root, pointer.tokens[...], &writer)
        return writer.bytes
    }

    private func write(
        _ tape: JSONTape, _ place: JSONIndex?, _ tokens: ArraySlice<String>, _ writer: inout JSONWriter
    ) throws(Failure) {
        guard let token = tokens.first else {
            // Without a value only the whole text comes here, and that is not removed.
            guard let value else { throw Failure(message: "the whole payload cannot be removed") }
            writer.raw(value)
            return
        }
        guard let place, tape.kind(place) != .null else {
            writer.beginObject()
            try member(token, tape, nil, tokens, &writer)
            writer.endObject()
            return
        }
        switch tape.kind(place) {
        case .object: try object(tape, place, token, tokens, &writer)
        case .array: try array(tape, place, token, tokens, &writer)
        default: throw Failure(message: "\(pointer) leads through a value that is no object")
        }
    }

    private func object(
        _ tape: JSONTape, _ place: JSONIndex, _ token: String, _ tokens: ArraySlice<String>, _ writer: inout JSONWriter
    ) throws(Failure) {
        var isFound = false
        writer.beginObject()
        for (key, value) in tape.members(place) {
            if tape.equals(key, token) {
                isFound = true
                try member(token, tape, value, tokens, &writer)
            } else {
                writer.key(tape.text(key) ?? "")
                writer.raw(tape, value)
            }
        }
        if !isFound { try member(token, tape, nil, tokens, &writer) }
        writer.endObject()
    }

    /// The member the pointer goes through, or ends at.
    private func member(
        _ token: String, _ tape: JSONTape, _ place: JSONIndex?, _ tokens: ArraySlice<String>,
        _ writer: inout JSONWriter
    ) throws(Failure) {
        if value == nil, tokens.count == 1 || place == nil { return }
        writer.key(token)
        try write(tape, place, tokens.dropFirst(), &writer)
    }

    private func array(
        _ tape: JSONTape, _ place: JSONIndex, _ token: String, _ tokens: ArraySlice<String>, _ writer: inout JSONWriter
    ) throws(Failure) {
        let count = tape.count(place)
        guard let position = Int(token), token == String(position), (0...count).contains(position) else {
            throw Failure(message: "\(pointer) leads through a list of \(count) elements, counted from 0")
        }
        writer.beginArray()
        for (index, element) in tape.elements(place).enumerated() {
            if index != position {
                writer.raw(tape, element)
            } else if value != nil || tokens.count > 1 {
                try write(tape, element, tokens.dropFirst(), &writer)
            }
        }
        if position == count, value != nil { try write(tape, nil, tokens.dropFirst(), &writer) }
        writer.endArray()
    }
}
