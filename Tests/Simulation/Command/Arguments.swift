import Simulation

/// What the command is asked.
struct Arguments {
    var work = Work.seeds(1..<1001, nil)
    /// One run only, with everything that happens.
    var isTraced = false
    /// Runs at the same time, each in a process of its own.
    var processes: Int?
    /// This is one of those processes.
    var part: Part?

    struct Part {
        /// Of the runs, the first one and how many steps to the next.
        var first: Int
        var step: Int
    }

    static let usage = """
        usage: gatehouse-simulate [--seeds COUNT] [--first SEED] [--bug NAME] [--processes COUNT]
               gatehouse-simulate --seed SEED [--bug NAME]
               gatehouse-simulate --sweep all [--processes COUNT]
               gatehouse-simulate --sweep NUMBER

        Runs the log and the delivery engine on a simulated disk, clock and network, one seed after the other, and
        checks that no promise is broken. --seed runs one and tells all that happens. --sweep runs a small scenario
        again and again, with a crash at one place after the other; with a number, at that place only, and tells all
        that happens. --bug plants a mistake that is to be found:
        \(PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")).
        """

    init(_ words: [String]) throws(ArgumentError) {
        var count: UInt64 = 1000
        var first: UInt64 = 1
        var bug: PlantedBug?
        var sweep: String?
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
            case "--sweep": sweep = value
            case "--bug":
                bug = PlantedBug(rawValue: value)
                if bug == nil { throw ArgumentError("there is no bug `\(value)`") }
            case "--processes": processes = Int(clamping: max(1, try Self.number(value, word)))
            case "--part": part = try Self.part(value)
            default: throw ArgumentError("`\(word)` is unknown")
            }
        }
        let (end, overflow) = first.addingReportingOverflow(count)
        guard !overflow else { throw ArgumentError("`--first` is too large") }
        work = .seeds(first..<end, bug)
        if let sweep { try choose(sweep) }
    }

    private mutating func choose(_ sweep: String) throws(ArgumentError) {
        let points = Simulation.sweep()
        work = .sweep(points, from: 1)
        guard sweep != "all" else { return }
        guard let number = Int(sweep), points.indices.contains(number - 1) else {
            throw ArgumentError("`--sweep` takes `all` or a number from 1 to \(points.count), not `\(sweep)`")
        }
        work = .sweep([points[number - 1]], from: number)
        isTraced = true
    }

    private static func number(_ text: String, _ option: String) throws(ArgumentError) -> UInt64 {
        guard let number = UInt64(text) else { throw ArgumentError("`\(option)` takes a number, not `\(text)`") }
        return number
    }

    private static func part(_ text: String) throws(ArgumentError) -> Part {
        let numbers = text.split(separator: "/").compactMap { Int($0) }
        guard numbers.count == 2, numbers[0] >= 0, numbers[1] > 0 else {
            throw ArgumentError("`--part` is for the command itself")
        }
        return Part(first: numbers[0], step: numbers[1])
    }
}

struct ArgumentError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
