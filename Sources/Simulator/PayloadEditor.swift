package import JSON

/// Changes single values of a JSON text and leaves every other byte as it is.
package struct PayloadEditor {
    package struct UnknownPointer: Error, CustomStringConvertible {
        package let pointer: String
        package var description: String { "the payload has nothing at \(pointer), nor an object to put it in" }
    }

    private let tape: JSONTape
    private var replacements: [(range: Range<Int>, text: [UInt8])] = []

    package init(_ tape: JSONTape) {
        self.tape = tape
    }

    /// The value there now, as text; nil when there is none.
    package func text(at pointer: JSONPointer) -> String? {
        tape.value(at: pointer).flatMap(tape.scalarText)
    }

    package func kind(at pointer: JSONPointer) -> JSONKind? {
        tape.value(at: pointer).map(tape.kind)
    }

    /// - Parameter json: a JSON value. A member that is not there yet is added to its object.
    package mutating func set(_ pointer: JSONPointer, json: [UInt8]) throws(UnknownPointer) {
        if let value = tape.value(at: pointer) {
            let range = tape.span(value)
            replacements.removeAll { $0.range == range }
            replacements.append((range, json))
            return
        }
        let unknown = UnknownPointer(pointer: pointer.description)
        guard let name = pointer.tokens.last, let parent = pointer.parent, let object = tape.value(at: parent),
            tape.kind(object) == .object
        else { throw unknown }
        var writer = JSONWriter()
        writer.string(name)
        let comma: [UInt8] = tape.count(object) > 0 ? [UInt8(ascii: ",")] : []
        let end = tape.span(object).upperBound - 1
        replacements.append((end..<end, comma + writer.bytes + [UInt8(ascii: ":")] + json))
    }

    package func edited() -> [UInt8] {
        var result: [UInt8] = []
        var position = 0
        for (range, text) in replacements.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            result += tape.bytes[position..<range.lowerBound]
            result += text
            position = range.upperBound
        }
        return result + tape.bytes[position...]
    }
}

extension JSONPointer {
    var parent: JSONPointer? {
        guard let slash = description.lastIndex(of: "/") else { return nil }
        return try? JSONPointer(String(description[..<slash]))
    }
}
