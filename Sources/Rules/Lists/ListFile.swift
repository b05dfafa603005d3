internal import YAML

/// What is wrong with the text of a list.
struct ListFileError: Error {
    /// Counted from 1.
    var line: Int
    var message: String
    var suggestion: String?
}

/// The text of a list: one entry a line, or a column of a table (CSV, RFC 4180) whose first line names its columns. What is
/// cut off or out of shape is an error: a list that is shorter than somebody thinks lets in whom it should stop.
struct ListFile {
    private let bytes: [UInt8]
    private var position: Int
    private var line = 1
    private var builder = TextListBuilder()

    private let mostEntries: Int

    private init(_ bytes: [UInt8], mostEntries: Int) {
        self.bytes = bytes
        self.mostEntries = mostEntries
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// - Parameter column: its name; nil: the text is no table, and lines that begin with `#` are left out.
    static func read(_ bytes: [UInt8], column: String?, name: String, mostEntries: Int = TextList.mostEntries)
        throws(ListFileError) -> TextList
    {
        var file = ListFile(bytes, mostEntries: mostEntries)
        if let column { try file.readTable(column) } else { try file.readLines() }
        return file.builder.list(name: name)
    }

    private mutating func add(_ entry: [UInt8], line: Int) throws(ListFileError) {
        guard let text = String(validating: entry, as: UTF8.self) else {
            throw ListFileError(line: line, message: "an entry is not UTF-8")
        }
        let folded = TextFolding.key(text)
        if folded.isEmpty { return }
        guard folded.count <= LiteralReader.longestText else {
            throw ListFileError(line: line, message: "an entry has more than \(LiteralReader.longestText) bytes")
        }
        builder.add(folded)
        guard builder.count <= mostEntries, builder.byteCount <= TextList.mostBytes else {
            throw ListFileError(
                line: line,
                message: "a list holds at most \(mostEntries) entries and \(TextList.mostBytes >> 20)MiB")
        }
    }

    // MARK: Lines

    private mutating func readLines() throws(ListFileError) {
        while position < bytes.count {
            let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            if bytes[position] != UInt8(ascii: "#") { try add(Array(bytes[position..<end]), line: line) }
            position = end + 1
            line += 1
        }
    }

    // MARK: Tables

    private mutating func readTable(_ column: String) throws(ListFileError) {
        let separator = self.separator
        let names = try row(separator).map { String(decoding: $0, as: UTF8.self) }
        let wanted = TextFolding.key(column)
        guard let place = names.firstIndex(where: { TextFolding.key($0) == wanted }) else {
            throw ListFileError(
                line: 1,
                message: "the first line names no column `\(displayable(column))`; it names "
                    + names.prefix(20).map { displayable($0) }.joined(separator: ", "),
                suggestion: nearest(column, among: names))
        }
        while position < bytes.count {
            let first = line
            let fields = try row(separator)
            if fields.count == 1, fields[0].isEmpty { continue }
            guard place < fields.count else {
                throw ListFileError(
                    line: first, message: "the line has \(fields.count) of the table's \(names.count) columns")
            }
            try add(fields[place], line: first)
        }
    }

    /// What stands between columns: the first of these in the first line.
    private var separator: UInt8 {
        let separators = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]
        let first = bytes[position...].prefix { $0 != UInt8(ascii: "\n") }
        return first.first { separators.contains($0) } ?? separators[0]
    }

    /// The fields of one line, which goes on where a line break stands in quotes.
    private mutating func row(_ separator: UInt8) throws(ListFileError) -> [[UInt8]] {
        var fields: [[UInt8]] = []
        while true {
            fields.append(try field(separator))
            guard position < bytes.count else { return fields }
            let end = bytes[position]
            position += 1
            if end == separator { continue }
            line += 1
            return fields
        }
    }

    /// Stops before the separator or the end of the line.
    private mutating func field(_ separator: UInt8) throws(ListFileError) -> [UInt8] {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            let end =
                bytes[position...].firstIndex { $0 == separator || $0 == UInt8(ascii: "\n") } ?? bytes.count
            defer { position = end }
            let field = bytes[position..<end]
            return Array(field.last == UInt8(ascii: "\r") ? field.dropLast() : field)
        }
        let first = line
        var field: [UInt8] = []
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte != UInt8(ascii: "\"") {
                if byte == UInt8(ascii: "\n") { line += 1 }
                field.append(byte)
            } else if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                field.append(byte)
                position += 1
            } else {
                try endQuotes(separator)
                return field
            }
        }
        throw ListFileError(line: first, message: "a quote that begins here is never closed")
    }

    private mutating func endQuotes(_ separator: UInt8) throws(ListFileError) {
        if position < bytes.count, bytes[position] == UInt8(ascii: "\r") { position += 1 }
        guard position == bytes.count || bytes[position] == separator || bytes[position] == UInt8(ascii: "\n") else {
            throw ListFileError(
                line: line, message: "something stands behind a closing quote; a quote inside one is doubled")
        }
    }
}
