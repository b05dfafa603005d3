internal import Rules
internal import Targets
internal import YAML

extension PresetCatalogue {
    /// The presets that are part of the program, with those of `presets:`: the files `NAME.yaml` and `NAME.yml` of a
    /// folder.
    static func decode(_ node: YAMLNode?, _ diagnostics: inout Diagnostics) -> PresetCatalogue {
        var catalogue = PresetCatalogue.shipped
        guard let node, let folder = node.path(&diagnostics), node.scalar?.isResolved == true else { return catalogue }
        let files: [String]
        do throws(RouteFiles.Failure) {
            files = try RouteFiles.below(folder)
        } catch {
            diagnostics.error(
                at: node.location, "the presets of `\(displayable(error.path))` cannot be read: \(error.message)")
            return catalogue
        }
        for file in files { catalogue.read(file, &diagnostics) }
        return catalogue
    }

    private mutating func read(_ file: String, _ diagnostics: inout Diagnostics) {
        let location = SourceLocation(file: file)
        let name = String(file[(file.lastIndex(of: "/").map { file.index(after: $0) } ?? file.startIndex)...])
        let stem = String(name[..<(name.lastIndex(of: ".") ?? name.endIndex)])
        guard Names.isAllowed(stem) else {
            diagnostics.error(
                at: location,
                "a preset's name is its file's: use letters, digits, `-`, `_` and `.`, at most 64")
            return
        }
        let text: [UInt8]
        do throws(FileReadingError) {
            text = try readFile(file, maximumBytes: Preset.maximumBytes)
        } catch {
            diagnostics.error(at: location, error.message)
            return add(broken: stem)
        }
        guard let preset = Preset(name: stem, text: text, file: file, &diagnostics) else { return add(broken: stem) }
        add(preset, at: location, &diagnostics)
    }
}
