import Foundation

/// Takes the command lines of a shell block apart, as far as the pages use the shell.
enum CommandLines {
    /// Each simple command's words, quotes taken off, redirections and variables set before it left out.
    static func commands(_ text: String) -> [[String]] {
        let joined = text.replacing("\\\n", with: " ").replacing("|\n", with: "| ")
        return joined.split(separator: "\n").filter { !$0.hasPrefix("#") }.flatMap { line in
            split(String(line)).compactMap { words in
                var words = words.drop { $0.contains(/^[A-Z_]+=/) }
                if let cut = words.firstIndex(where: { $0 == ">" || $0 == "<" }) { words = words[..<cut] }
                return words.isEmpty ? nil : Array(words)
            }
        }
    }

    private static func split(_ line: String) -> [[String]] {
        var commands: [[String]] = [[]]
        var word: String?
        var quote: Character?
        func end() {
            if let finished = word { commands[commands.count - 1].append(finished) }
            word = nil
        }
        for character in line {
            switch (quote, character) {
            case (.some(let open), _) where character == open: quote = nil
            case (.some, _): word = (word ?? "") + String(character)
            case (nil, "'"), (nil, "\""):
                quote = character
                word = word ?? ""
            case (nil, " "): end()
            case (nil, "|"), (nil, ";"), (nil, "&"):
                end()
                if commands.last?.isEmpty == false { commands.append([]) }
            case (nil, "<"), (nil, ">"):
                end()
                commands[commands.count - 1].append(String(character))
            default: word = (word ?? "") + String(character)
            }
        }
        end()
        return commands
    }
}

/// A command as its own `--help` tells of it.
struct CommandHelp: Sendable {
    struct Option: Sendable, Hashable {
        var short: String?
        var name: String
        /// What its value is called; nil for a switch.
        var value: String?
        var meaning: String
    }

    let name: String
    let summary: String
    let usage: String
    let options: [Option]

    /// Every command of the program.
    static func all() throws -> [CommandHelp] {
        let shell = try Shell()
        let overview = try shell.run("gatehouse --help").output
        return try overview.matches(of: /(?m)^  ([\w-]+) {2,}(.*)$/).map { match in
            try CommandHelp(String(match.1), String(match.2), page: shell.run("gatehouse \(match.1) --help").output)
        }
    }

    private init(_ name: String, _ summary: String, page: String) {
        self.name = name
        self.summary = summary
        usage = page.firstMatch(of: /Usage: (.*)/).map { String($0.1) } ?? ""
        let rows = page.components(separatedBy: "\nExample:")[0]
        options = rows.matches(of: /(?m)^  (?:(-\w), )?--([\w-]+)(?: (\S+))? {2,}(.*)$/).map { match in
            Option(
                short: match.1.map(String.init), name: String(match.2), value: match.3.map(String.init),
                meaning: String(match.4))
        }
    }

    /// What is wrong with the words after the command's name; nil when nothing is.
    func problem(_ words: [String]) -> String? {
        var rest = words[...]
        var operands = 0
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word != "-" else {
                operands += 1
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1)
            guard let option = options.first(where: { "--" + $0.name == parts[0] || $0.short == word }) else {
                return "there is no \(word)"
            }
            if option.value != nil, parts.count == 1, rest.popFirst() == nil { return "\(word) needs a value" }
        }
        // What stands in the usage by itself: `URL`, `[FILE]`, `list|show`, `[list|show [N]]`.
        let place = /\ (?:URL|ID|\[[A-Z]+\]|\[N\]\]|\[?[a-z-]+(?:\|[a-z-]+)+|list|topics|generate)(?= |$)/
        let places = usage.matches(of: place).count
        return operands <= places ? nil : "\(operands) operands are too many"
    }
}
