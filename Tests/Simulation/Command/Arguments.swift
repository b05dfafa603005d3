import Simulation

/// What the command is asked.
struct Arguments {
    /// Seeds run, one after the other.
    var seeds: Range<UInt64> = 1..<1001
    /// One seed only, with everything that happens.
    var isTraced = false
    var bug: PlantedBug?

    static let usage = """
        usage: gatehouse-simulate [--seeds COUNT] [--first SEED] [--bug NAME]
               gatehouse-simulate --seed SEED [--bug NAME]

        Runs the log and the delivery engine on a simulated disk, clock and network, one seed after the other, and
        checks that no promise is broken. --seed runs one and tells all that happens. --bug plants a mistake that is to
        be found: \(PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")).
        """

    init(_ words: [String]) throws(ArgumentError) {
        var count: UInt64 = 1000
        var first: UInt64 = 1
        var words = words[...]
        while let word = words.popFirst() {
            if word == "--help" { throw ArgumentError("help") }
            guard let value = words.popFirst() else { throw ArgumentError("`\(word)` needs a value") }
            switch word {
            case "--seeds": count = try Self.number(value, word)
            case "--first": first = try Self.number(value, word)
            case "--seed":
                first = try Self.number(value, word)
                count = 1
                isTraced = true
            case "--bug":
                guard let known = PlantedBug(rawValue: value) else { throw ArgumentError("there is no bug `\(value)`") }
                bug = known
            default: throw ArgumentError("`\(word)` is unknown")
            }
        }
        let (end, overflow) = first.addingReportingOverflow(count)
        guard !overflow else { throw ArgumentError("`--first` is too large") }
        seeds = first..<end
    }

    private static func number(_ text: String, _ option: String) throws(ArgumentError) -> UInt64 {
        guard let number = UInt64(text) else { throw ArgumentError("`\(option)` takes a number, not `\(text)`") }
        return number
    }
}

struct ArgumentError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
