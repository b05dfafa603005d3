/// A place in a file that people edit.
package struct SourceLocation: Hashable, Sendable, CustomStringConvertible {
    package var file: String
    /// Small, because every node of a file has one.
    private var storedLine: UInt32
    private var storedColumn: UInt32

    /// From 1.
    package var line: Int {
        get { Int(storedLine) }
        set { storedLine = UInt32(clamping: newValue) }
    }

    /// In characters (Unicode scalars), from 1.
    package var column: Int {
        get { Int(storedColumn) }
        set { storedColumn = UInt32(clamping: newValue) }
    }

    package init(file: String, line: Int = 1, column: Int = 1) {
        self.file = file
        storedLine = UInt32(clamping: line)
        storedColumn = UInt32(clamping: column)
    }

    package var description: String { "\(file):\(line):\(column)" }

    /// The place so many characters further on the same line.
    package func advanced(by columns: Int) -> SourceLocation {
        SourceLocation(file: file, line: line, column: column + columns)
    }
}
