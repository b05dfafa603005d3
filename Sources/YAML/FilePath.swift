extension YAMLNode {
    /// The path of a file or folder; a relative one is taken from the folder of the file that names it, wherever the
    /// program was started.
    package func path(_ diagnostics: inout Diagnostics) -> String? {
        guard let text = name(&diagnostics) else { return nil }
        return resolvedPath(text, besideFile: location.file)
    }
}

/// A path as another file means it: absolute as it is, relative from that file's folder.
package func resolvedPath(_ path: String, besideFile file: String) -> String {
    guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
    let relative = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
    return file[...slash] + relative
}
