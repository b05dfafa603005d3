internal import YAML

/// A file that a list was read from.
struct ListSource: Sendable {
    /// As it is opened.
    var path: String
    var bytes: [UInt8]
}

/// Reads an entry of `lists:`: `{file, column}`, or the file alone.
struct ListReader {
    static let keys = ["file", "column"]
    /// Of one file.
    static let mostBytes = 256 << 20

    let owner: Owner
    let environment: RuleEnvironment
    /// The files that are read in the place of those on the disk, by their paths; nil: those on the disk.
    let kept: [String: [UInt8]]?

    /// - Parameter source: the file, where it could be read.
    func read(
        _ entry: YAMLEntry, source: inout ListSource?, _ diagnostics: inout Diagnostics
    ) -> TextList? {
        guard let (node, column) = place(entry.value, &diagnostics), let written = node.name(&diagnostics) else {
            return nil
        }
        let path = resolvedPath(written, besideFile: environment.actualPath(node.location.file))
        guard isOwn(path, node, &diagnostics) else { return nil }
        let bytes: [UInt8]
        do throws(FileReadingError) {
            if let known = kept?[path] {
                bytes = known
            } else {
                bytes = try environment.readFile(path, Self.mostBytes)
            }
        } catch {
            source = ListSource(path: path, bytes: [])
            diagnostics.error(
                at: node.location, "cannot read the list \(displayable(written)): \(error.message)")
            return nil
        }
        source = ListSource(path: path, bytes: bytes)
        do throws(ListFileError) {
            let list = try ListFile.read(bytes, column: column, name: owner.qualified(entry.name))
            guard list.count == 0 else { return list }
            // What writes the file may have been cut off before its first line.
            guard !bytes.allSatisfy({ $0 <= 0x20 }) else {
                diagnostics.error(
                    at: node.location,
                    "the list \(displayable(written)) has nothing in it; where that is meant, write a line into it that "
                        + "begins with #")
                return nil
            }
            diagnostics.warning(at: node.location, "the list is empty: nothing is in it")
            return list
        } catch {
            diagnostics.error(
                at: SourceLocation(file: path, line: error.line, column: 1), error.message,
                didYouMean: error.suggestion)
            return nil
        }
    }

    private func place(_ node: YAMLNode, _ diagnostics: inout Diagnostics) -> (file: YAMLNode, column: String?)? {
        if node.scalar != nil { return (node, nil) }
        guard node.entries != nil else {
            diagnostics.error(
                at: node.location,
                "a list is read from a file: write its path, or {file: …, column: …}; found \(node.kindName)")
            return nil
        }
        guard var reader = MappingReader(node, "a list", &diagnostics) else { return nil }
        let file = reader.required("file", &diagnostics)
        let columnNode = reader.optional("column")
        let column = columnNode?.name(&diagnostics)
        reader.finish(&diagnostics)
        guard let file, columnNode == nil || column != nil else { return nil }
        return (file, column)
    }

    /// A team sees no file but its own.
    private func isOwn(_ path: String, _ node: YAMLNode, _ diagnostics: inout Diagnostics) -> Bool {
        guard let team = owner.team, kept?[path] == nil else { return true }
        let identity = RouteFiles.identity(path)
        if team.paths.contains(where: { RulePaths.isInside(identity, RouteFiles.identity($0)) }) { return true }
        diagnostics.error(
            at: node.location, "a list of team \(team.name) stands among the team's files, in one of its folders")
        return false
    }
}
