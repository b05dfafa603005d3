/// The largest YAML file taken, in bytes.
package let maximumYAMLBytes = 64 << 20
/// The most keys and values of files that are read together.
package let maximumYAMLNodes = 4_000_000
/// The deepest nesting of lists and mappings.
package let maximumYAMLDepth = 64

/// Reads one YAML document as it is written: no anchors, merge keys or tags, no second document, no duplicate keys.
/// - Parameter file: the name shown in messages.
/// - Returns: nil for a file that holds nothing but comments.
/// - Throws: everything that is wrong, each with its place and what to write instead.
package func parseYAML(_ bytes: [UInt8], file: String) throws(Diagnostics) -> YAMLNode? {
    var budget = maximumYAMLNodes
    return try parseYAML(bytes, file: file, budget: &budget)
}

/// As above, for one of several files.
/// - Parameter budget: the keys and values that may still come; what the file holds is taken off.
package func parseYAML(_ bytes: [UInt8], file: String, budget: inout Int) throws(Diagnostics) -> YAMLNode? {
    var duplicates = Diagnostics()
    let node = try parseYAML(bytes, file: file, budget: &budget, duplicates: &duplicates)
    if duplicates.hasErrors { throw duplicates }
    return node
}

/// As above, for a reader that goes on to tell what else is wrong with a file in which a key stands twice.
/// - Parameter duplicates: an error for each key that stands twice; its first value is read.
package func parseYAML(
    _ bytes: [UInt8], file: String, budget: inout Int, duplicates: inout Diagnostics
) throws(Diagnostics) -> YAMLNode? {
    var diagnostics = Diagnostics()
    let start = SourceLocation(file: file)
    guard bytes.count <= maximumYAMLBytes else {
        diagnostics.error(
            at: start, "the file is larger than \(maximumYAMLBytes >> 20) MiB; split it into several files")
        throw diagnostics
    }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
        diagnostics.error(at: start, "the file is UTF-16; save it as UTF-8")
        throw diagnostics
    }
    let text = bytes.dropFirst(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
    TextCheck.check(text, file: file, &diagnostics)
    if diagnostics.hasErrors { throw diagnostics }

    var builder = NodeBuilder(text, file: file, budget: budget)
    let node = builder.build()
    budget = builder.budget
    if builder.diagnostics.hasErrors {
        builder.diagnostics.merge(builder.duplicates)
        throw builder.diagnostics
    }
    duplicates.merge(builder.duplicates)
    return node
}
