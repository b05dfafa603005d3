internal import Events
internal import YAML

/// A command's arguments, checked against its options.
struct Arguments: Sendable {
    private(set) var operands: [String] = []
    private var values: [String: [String]] = [:]

    /// Takes `--name value`, `--name=value`, `-n value`; `--` ends the options.
    init(_ words: ArraySlice<String>, options: [Option]) throws(UsageError) {
        var rest = words
        while let word = rest.popFirst() {
            if word == "--" {
                operands += rest
                return
            }
            guard word.hasPrefix("-"), word != "-" else {
                operands.append(word)
                continue
            }
            let (name, inline) = Self.split(word)
            guard let option = Self.find(name, options) else {
                let known = options.map { "--" + $0.name }
                let near = didYouMean(name, among: known)
                throw UsageError("there is no option \(name)\(near)")
            }
            try take(option, inline, &rest)
        }
    }

    private mutating func take(
        _ option: Option, _ inline: String?, _ rest: inout ArraySlice<String>
    ) throws(UsageError) {
        guard option.value != nil else {
            guard inline == nil else { throw UsageError("--\(option.name) takes no value") }
            values[option.name] = [""]
            return
        }
        guard let value = inline ?? rest.popFirst() else {
            throw UsageError("--\(option.name) needs a value: \(option.value ?? "")")
        }
        if values[option.name] != nil, !option.isRepeatable {
            throw UsageError("--\(option.name) is given twice")
        }
        values[option.name, default: []].append(value)
    }

    private static func split(_ word: String) -> (name: String, inline: String?) {
        guard word.hasPrefix("--"), let equals = word.firstIndex(of: "=") else { return (word, nil) }
        return (String(word[..<equals]), String(word[word.index(after: equals)...]))
    }

    private static func find(_ name: String, _ options: [Option]) -> Option? {
        options.first { "--" + $0.name == name || ($0.short.map { "-\($0)" } == name) }
    }

    func has(_ name: String) -> Bool { values[name] != nil }
    func value(_ name: String) -> String? { values[name]?.last }
    func all(_ name: String) -> [String] { values[name] ?? [] }

    var configurationFile: String { value("config") ?? "./gatehouse.yaml" }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = value(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError("--\(name) takes a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A moment, or a duration back from now.
    func moment(_ name: String) throws(UsageError) -> Timestamp? {
        guard let text = value(name) else { return nil }
        if let moment = Timestamp(text) { return moment }
        var ignored = Diagnostics()
        let node = YAMLNode(
            location: SourceLocation(file: ""), content: .scalar(YAMLScalar(text: text, isPlain: true)))
        if let back = node.duration(&ignored) {
            let (seconds, attoseconds) = back.components
            return Timestamp(
                milliseconds: Timestamp.now().milliseconds - seconds * 1000 - attoseconds / 1_000_000_000_000_000)
        }
        throw UsageError("--\(name) takes a time such as 2024-07-30T01:49:27Z, or one back from now such as 24h")
    }

    /// For a command whose operand is a verb that it has understood.
    var withoutOperands: Arguments {
        var arguments = self
        arguments.operands = []
        return arguments
    }

    func requireOperands(_ count: Int, _ what: String) throws(UsageError) {
        guard operands.count == count else {
            throw UsageError(
                operands.count < count ? "\(what) is missing" : "`\(operands[count])` is one argument too many")
        }
    }
}
