/// Makes the indexes by which a plan's facts are found in an event.
struct IndexBuilder {
    private(set) var indexes = FactIndexes()
    private(set) var paths: PathTable
    private(set) var facts: FactTable
    private let numbering: FactNumbering
    private let effects: EffectTable

    typealias Report = TextAutomaton.Report

    private struct PathFacts {
        var prefixes: Set<UInt16> = []
        var suffixes: Set<UInt16> = []
        var networks: Set<UInt16> = []
        var patterns: [(text: [UInt8], report: Report)] = []
        var globs: [Int32] = []
        var numbers: [RangeIndex<OrderedNumber>.Entry] = []
        var moments: [RangeIndex<Int64>.Entry] = []
        var ages: [RangeIndex<Int64>.Entry] = []
        var tested: [Int32] = []
    }

    init(_ numbering: FactNumbering, _ effects: EffectTable) {
        self.numbering = numbering
        self.effects = effects
        paths = numbering.paths
        facts = numbering.facts
    }

    /// False when they would take more bytes than the limit.
    mutating func build(limit: Int) -> Bool {
        let always = wanted()
        var byPath: [Int32: PathFacts] = [:]
        for number in 0..<Int32(facts.count) {
            let fact = facts[number]
            if always[Int(number)] { paths[fact.path].always.formUnion(.of(fact.kind)) }
            place(number, fact, isWanted: always[Int(number)], &byPath)
            let leads = effects.of(number)
            if leads.count == 1, effects.effects[leads.lowerBound].kind == .route {
                facts.setRoute(number, effects.effects[leads.lowerBound].number)
            }
        }
        for (path, found) in byPath.sorted(by: { $0.key < $1.key }) {
            guard index(path, found, limit: limit) else { return false }
        }
        var walked: Set<PathTree.Root> = []
        for (number, path) in paths.paths.enumerated() where !path.always.isEmpty {
            switch path.place {
            case .event, .time, .field: paths.alwaysRead.append(Int32(number))
            case .personal: walked.insert(.personal)
            case .additional: walked.insert(.additional)
            case .original: walked.insert(.original)
            }
        }
        paths.alwaysWalked = PathTree.Root.allCases.filter(walked.contains)
        facts.seal()
        return true
    }

    /// The facts that lead somewhere: to a condition or, as one of a list, to a list that does.
    private func wanted() -> [Bool] {
        var wanted = [Bool](repeating: false, count: facts.count)
        for fact in 0..<Int32(facts.count) {
            wanted[Int(fact)] = effects.of(fact).contains { effects.effects[$0].kind != .fact }
        }
        for (list, members) in numbering.members where wanted[Int(list)] {
            for member in members { wanted[Int(member)] = true }
        }
        return wanted
    }

    private mutating func place(_ number: Int32, _ fact: Fact, isWanted: Bool, _ byPath: inout [Int32: PathFacts]) {
        switch fact.kind {
        case .prefix: byPath[fact.path, default: PathFacts()].prefixes.insert(fact.count)
        case .suffix: byPath[fact.path, default: PathFacts()].suffixes.insert(fact.count)
        case .network:
            let bytes = facts.bytes[facts.range(fact)]
            let length = UInt16(bytes[bytes.startIndex + 1])
            byPath[fact.path, default: PathFacts()].networks.insert(bytes.first == 4 ? length : length + 1000)
        case .contains where isWanted || fact.isFound:
            facts.setFound(number)
            byPath[fact.path, default: PathFacts()].patterns
                .append((Array(facts.bytes[facts.range(fact)]), Report(number, isProof: true)))
        case .glob where isWanted || fact.isFound:
            facts.setFound(number)
            byPath[fact.path, default: PathFacts()].globs.append(number)
        case .expression where isWanted || fact.isFound:
            facts.setFound(number)
            place(expression: number, fact, &byPath[fact.path, default: PathFacts()])
        case .list where isWanted || fact.isFound:
            facts.setFound(number)
            byPath[fact.path, default: PathFacts()].tested.append(number)
        case .numberRange where isWanted || fact.isFound:
            facts.setFound(number)
            let range = numbering.values.numberRanges[Int(fact.start)]
            byPath[fact.path, default: PathFacts()].numbers
                .append(
                    .init(
                        lower: range.lower.map { .init(value: $0.number, isIncluded: $0.isIncluded) },
                        upper: range.upper.map { .init(value: $0.number, isIncluded: $0.isIncluded) },
                        report: Report(number, isProof: true)))
        case .momentRange where isWanted || fact.isFound:
            facts.setFound(number)
            place(moments: number, fact, &byPath[fact.path, default: PathFacts()])
        default: break
        }
    }

    /// A range of which one end moves with the event's time and the other does not is found by the one that does not.
    private func place(moments number: Int32, _ fact: Fact, _ found: inout PathFacts) {
        typealias Bound = RangeIndex<Int64>.Bound
        let range = numbering.values.momentRanges[Int(fact.start)]
        func fixed(_ bound: MomentRange.Bound?) -> Bound? {
            guard let bound, case .fixed(let value) = bound.moment else { return nil }
            return Bound(value: value, isIncluded: bound.isIncluded)
        }
        func moving(_ bound: MomentRange.Bound?) -> Bound? {
            guard let bound, case .relative(let value) = bound.moment else { return nil }
            return Bound(value: value, isIncluded: bound.isIncluded)
        }
        let (lower, upper) = (fixed(range.lower), fixed(range.upper))
        let isMoving = moving(range.lower) != nil || moving(range.upper) != nil
        if isMoving, lower == nil, upper == nil {
            found.ages.append(
                .init(lower: moving(range.lower), upper: moving(range.upper), report: Report(number, isProof: true)))
        } else {
            found.moments.append(.init(lower: lower, upper: upper, report: Report(number, isProof: !isMoving)))
        }
    }

    private func place(expression number: Int32, _ fact: Fact, _ found: inout PathFacts) {
        let atoms = numbering.values.expressions[Int(fact.start)].requiredTexts
        if atoms.isEmpty {
            found.tested.append(number)
        } else {
            for atom in atoms { found.patterns.append((atom, Report(number, isProof: false))) }
        }
    }

    private mutating func index(_ path: Int32, _ found: PathFacts, limit: Int) -> Bool {
        var found = found
        place(globs: &found)
        if !found.patterns.isEmpty {
            guard let root = indexes.automaton.add(found.patterns, limit: limit) else { return false }
            paths[path].root = root
        }
        paths[path].prefixes = lengths(found.prefixes)
        paths[path].suffixes = lengths(found.suffixes)
        paths[path].networks = lengths(found.networks)
        if !found.numbers.isEmpty {
            paths[path].numbers = Int32(indexes.numbers.count)
            indexes.numbers.append(RangeIndex(found.numbers))
        }
        if !found.moments.isEmpty {
            paths[path].moments = Int32(indexes.moments.count)
            indexes.moments.append(RangeIndex(found.moments))
        }
        if !found.ages.isEmpty {
            paths[path].ages = Int32(indexes.moments.count)
            indexes.moments.append(RangeIndex(found.ages))
        }
        let first = Int32(paths.tested.count)
        paths.tested += found.tested
        paths[path].tested = first..<Int32(paths.tested.count)
        return true
    }

    private mutating func lengths(_ lengths: Set<UInt16>) -> Range<Int32> {
        let first = Int32(paths.lengths.count)
        paths.lengths += lengths.sorted()
        return first..<Int32(paths.lengths.count)
    }

    // MARK: Globs

    /// The longest part of a run that leads to a glob.
    private static let longestRun = 24

    /// Each glob is found by the run that fewest others have; of those the longest.
    private func place(globs found: inout PathFacts) {
        guard !found.globs.isEmpty else { return }
        var counts: [[UInt8]: Int] = [:]
        let runs = found.globs.map { number in
            Set(numbering.values.globs[Int(facts[number].start)].runs.map(Self.shortened))
        }
        for runs in runs { for run in runs { counts[run, default: 0] += 1 } }
        for (number, runs) in zip(found.globs, runs) {
            let best = runs.min { one, other in
                let (ones, others) = (counts[one] ?? 0, counts[other] ?? 0)
                if ones != others { return ones < others }
                if one.count != other.count { return one.count > other.count }
                return one.lexicographicallyPrecedes(other)
            }
            if let best {
                found.patterns.append((best, Report(number, isProof: false)))
            } else {
                found.tested.append(number)
            }
        }
    }

    /// Its end, as what tells such texts apart is more often there; from the beginning of a character.
    private static func shortened(_ run: [UInt8]) -> [UInt8] {
        var end = run[max(0, run.count - longestRun)...]
        while let first = end.first, first & 0xC0 == 0x80 { end.removeFirst() }
        return Array(end)
    }
}
