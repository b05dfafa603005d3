package import JSON
package import YAML

extension JSONWriter {
    /// The members `file`, `line` and `column`.
    package mutating func location(_ location: SourceLocation) {
        key("file")
        string(location.file)
        key("line")
        integer(Int64(location.line))
        key("column")
        integer(Int64(location.column))
    }
}
