internal import ShippedPresets
package import YAML

/// The presets that targets may name.
package struct PresetCatalogue: Sendable {
    private var byName: [String: Preset] = [:]
    /// Of files that are there and cannot be read, which was reported.
    private var broken: Set<String> = []

    /// By name, in alphabetical order.
    package var all: [Preset] { byName.values.sorted { $0.name < $1.name } }

    /// What a target may name, in alphabetical order.
    var names: [String] { (Array(byName.keys) + broken).sorted() }

    /// The files of users' presets.
    package var files: [String] { all.filter { !$0.isShipped }.map(\.file) }

    package subscript(_ name: String) -> Preset? { byName[name] }

    /// Those that are part of the program.
    package static let shipped: PresetCatalogue = {
        var catalogue = PresetCatalogue()
        for (name, text) in ShippedPresets.files {
            var diagnostics = Diagnostics()
            let preset = Preset(
                name: name, text: text, file: "presets/\(name).yaml", isShipped: true, &diagnostics)
            guard let preset else { fatalError("the preset \(name) cannot be read: \(diagnostics)") }
            catalogue.byName[name] = preset
        }
        return catalogue
    }()

    /// Remembers one of a user's that has errors, so that the targets that name it are not blamed too.
    package mutating func add(broken name: String) {
        if byName[name] == nil { broken.insert(name) }
    }

    /// Adds one of a user's.
    /// - Parameter location: of its file. A name that is taken is reported: nobody should have to guess which of two
    ///   presets a target means.
    package mutating func add(_ preset: Preset, at location: SourceLocation, _ diagnostics: inout Diagnostics) {
        if let other = byName[preset.name] {
            diagnostics.error(
                at: location,
                other.isShipped
                    ? "`\(preset.name)` is a preset of Gatehouse's own, which no file can replace; give this file another name"
                    : "there is another preset `\(preset.name)`; give one of the two files another name")
            return
        }
        byName[preset.name] = preset
    }
}
