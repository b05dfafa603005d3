internal import Addresses
internal import Events

/// Finds the facts of a path that are true of the event at hand, all of a kind at once.
extension MatchState {
    mutating func lookUp(_ path: Int32, _ wanted: Lookups, _ program: Program, _ event: EventView) {
        read(path, program, event)
        let missing = wanted.subtracting(paths[Int(path)].done)
        guard !missing.isEmpty else { return }
        paths[Int(path)].done.formUnion(missing)
        let known = program.paths[path]
        if missing.contains(.situation) { lookUpSituation(path, known, program) }
        let (first, end) = (Int(paths[Int(path)].first), Int(paths[Int(path)].end))
        guard first < end else { return }
        if missing.contains(.ranges), known.undecidable >= 0, known.kind.isNumeric {
            lookUpUndecidable(first..<end, path, known, program)
        }
        for element in first..<end {
            if missing.contains(.values) { lookUpValue(element, path, known, program) }
            if missing.contains(.affixes), known.kind.isTextual(elements[element].form) {
                lookUpAffixes(element, path, known, program)
            }
            if missing.contains(.scan), known.root >= 0, known.kind.isTextual(elements[element].form) {
                scan(element, known.root, program, event)
            }
            if missing.contains(.ranges) { lookUpRanges(element, path, known, program, event) }
            if missing.contains(.networks), known.kind.isTextual(elements[element].form) {
                lookUpNetworks(element, path, known, program)
            }
        }
        if missing.contains(.scan) {
            for place in known.tested { test(program.paths.tested[Int(place)], program, event) }
        }
    }

    /// Remembers that a fact is true, and of which facts it is one.
    mutating func find(_ fact: Int32, _ program: Program) {
        guard facts[Int(fact)] != generation << 1 | 1 else { return }
        facts[Int(fact)] = generation << 1 | 1
        let route = program.facts[fact].route
        guard route < 0 else {
            matched.append(route)
            work += 1
            return
        }
        for place in program.effects.of(fact) {
            let effect = program.effects.effects[place]
            guard effect.kind == .fact else {
                found.append(fact)
                return
            }
            find(effect.number, program)
        }
    }

    /// Tests one fact by itself, once; as `find` where it is true.
    mutating func test(_ fact: Int32, _ program: Program, _ event: EventView) {
        guard facts[Int(fact)] >> 1 != generation else { return }
        if holdsByItself(program.facts[fact], program, event) {
            find(fact, program)
        } else {
            facts[Int(fact)] = generation << 1
        }
    }

    private mutating func lookUpSituation(_ path: Int32, _ known: PathTable.Path, _ program: Program) {
        guard known.situations >= 0 else { return }
        for (index, situation) in Fact.situations.enumerated() where paths[Int(path)].situation == situation {
            let fact = program.paths.situations[Int(known.situations) + index]
            if fact >= 0 { find(fact, program) }
        }
    }

    // MARK: Values

    /// A value of another type than the field's equals nothing.
    private mutating func lookUpValue(
        _ element: Int, _ path: Int32, _ known: PathTable.Path, _ program: Program
    ) {
        let form = elements[element].form
        switch (known.kind, form) {
        case (.number, .number): lookUpNumber(element, path, program)
        case (.any, .number):
            lookUpNumber(element, path, program)
            if known.hasExactTexts { lookUpExactText(element, path, known, program) }
        case (.timestamp, .text):
            guard let moment = moment(element) else { return }
            var hash = ByteHash(path: path, kind: .moment)
            let bytes = FactNumbering.bytes(moment)
            for byte in bytes { hash.add(byte) }
            if let fact = program.facts.find(.moment, path: path, hash.value, in: bytes, 0..<bytes.count) {
                find(fact, program)
            }
        case _ where known.kind.isTextual(form) || (known.kind == .boolean && form == .boolean):
            if known.hasTexts { lookUpText(element, path, known, program) }
            if known.hasExactTexts { lookUpExactText(element, path, known, program) }
        default: break
        }
    }

    private mutating func lookUpExactText(
        _ element: Int, _ path: Int32, _ known: PathTable.Path, _ program: Program
    ) {
        let range = Int(elements[element].start)..<Int(elements[element].end)
        guard range.count <= Int(known.longestText) else { return }
        var hash = ByteHash(path: path, kind: .exact)
        for place in range { hash.add(raw[place]) }
        if let fact = program.facts.find(.exact, path: path, hash.value, in: raw, range) { find(fact, program) }
    }

    private mutating func lookUpNumber(_ element: Int, _ path: Int32, _ program: Program) {
        let here = elements[element]
        guard let canonical = DecimalNumber.canonical(raw[Int(here.start)..<Int(here.end)]) else { return }
        var hash = ByteHash(path: path, kind: .number)
        for byte in canonical { hash.add(byte) }
        if let fact = program.facts.find(.number, path: path, hash.value, in: canonical, 0..<canonical.count) {
            find(fact, program)
        }
    }

    // MARK: Beginnings, endings, domains

    private mutating func lookUpAffixes(
        _ element: Int, _ path: Int32, _ known: PathTable.Path, _ program: Program
    ) {
        let range = fold(element)
        if !known.prefixes.isEmpty {
            var hash = ByteHash(path: path, kind: .prefix)
            var position = range.lowerBound
            for index in known.prefixes {
                let end = range.lowerBound + Int(program.paths.lengths[Int(index)])
                guard end <= range.upperBound else { break }
                while position < end {
                    hash.add(folded[position])
                    position += 1
                }
                let beginning = range.lowerBound..<end
                if let fact = program.facts.find(.prefix, path: path, hash.value, in: folded, beginning) {
                    find(fact, program)
                }
            }
        }
        if !known.suffixes.isEmpty {
            var hash = ByteHash(path: path, kind: .suffix)
            var position = range.upperBound
            for index in known.suffixes {
                let start = range.upperBound - Int(program.paths.lengths[Int(index)])
                guard start >= range.lowerBound else { break }
                while position > start {
                    position -= 1
                    hash.add(folded[position])
                }
                let ending = start..<range.upperBound
                if let fact = program.facts.find(.suffix, path: path, hash.value, in: folded, ending) {
                    find(fact, program)
                }
            }
        }
        if known.longestDomain > 0 { lookUpDomain(range, path, known, program) }
    }

    private mutating func lookUpDomain(
        _ range: Range<Int>, _ path: Int32, _ known: PathTable.Path, _ program: Program
    ) {
        guard let mark = folded[range].lastIndex(of: UInt8(ascii: "@")) else { return }
        let domain = mark + 1..<range.upperBound
        if domain.count <= Int(known.longestDomain) {
            var hash = ByteHash(path: path, kind: .domain)
            for place in domain { hash.add(folded[place]) }
            if let fact = program.facts.find(.domain, path: path, hash.value, in: folded, domain) {
                find(fact, program)
            }
        }
        var hash = ByteHash(path: path, kind: .domainEnding)
        var position = domain.upperBound
        while position > domain.lowerBound, domain.upperBound - position < Int(known.longestDomain) {
            position -= 1
            hash.add(folded[position])
            guard folded[position] == UInt8(ascii: "."), position > domain.lowerBound else { continue }
            let ending = position..<domain.upperBound
            if let fact = program.facts.find(.domainEnding, path: path, hash.value, in: folded, ending) {
                find(fact, program)
            }
        }
    }

    // MARK: Contained texts

    private mutating func scan(_ element: Int, _ root: Int32, _ program: Program, _ event: EventView) {
        let range = fold(element)
        work += range.count
        var state = root
        for place in range {
            state = program.indexes.automaton.step(state, folded[place], root: root)
            var ending = program.indexes.automaton.ending[Int(state)]
            // Where an ending was met before, so were all shorter ones.
            while ending >= 0, endings[Int(ending)] != generation {
                endings[Int(ending)] = generation
                work += 1
                for report in program.indexes.automaton.reports(of: ending) {
                    follow(program.indexes.automaton.reports[report], program, event)
                }
                ending = program.indexes.automaton.shorter[Int(ending)]
            }
        }
    }

    private mutating func follow(_ report: TextAutomaton.Report, _ program: Program, _ event: EventView) {
        if report.isProof { find(report.fact, program) } else { test(report.fact, program, event) }
    }

    // MARK: Ranges and networks

    private mutating func lookUpRanges(
        _ element: Int, _ path: Int32, _ known: PathTable.Path, _ program: Program, _ event: EventView
    ) {
        if known.numbers >= 0, !paths[Int(path)].isUndecidable, case .number(let number) = number(element) {
            program.indexes.numbers[Int(known.numbers)].find(number, into: &reports)
        }
        if known.moments >= 0 || known.ages >= 0, known.kind.isTemporal(elements[element].form),
            let moment = moment(element)
        {
            if known.moments >= 0 { program.indexes.moments[Int(known.moments)].find(moment, into: &reports) }
            if known.ages >= 0, let now = time(event) {
                program.indexes.moments[Int(known.ages)].find(moment - now, into: &reports)
            }
        }
        // Testing a fact by itself reads no ranges.
        while let report = reports.popLast() { follow(report, program, event) }
    }

    /// Where one number cannot be compared, no range holds any.
    private mutating func lookUpUndecidable(
        _ elements: Range<Int>, _ path: Int32, _ known: PathTable.Path, _ program: Program
    ) {
        for element in elements {
            guard case .undecidable = number(element) else { continue }
            paths[Int(path)].isUndecidable = true
            find(known.undecidable, program)
            return
        }
    }

    private mutating func lookUpNetworks(
        _ element: Int, _ path: Int32, _ known: PathTable.Path, _ program: Program
    ) {
        guard !known.networks.isEmpty, let address = address(element) else { return }
        for index in known.networks {
            var length = Int(program.paths.lengths[Int(index)])
            let isIPv4 = length < 1000
            length -= isIPv4 ? 0 : 1000
            guard isIPv4 == address.isIPv4 else { continue }
            let bytes = FactNumbering.bytes(address, length)
            var hash = ByteHash(path: path, kind: .network)
            for byte in bytes { hash.add(byte) }
            if let fact = program.facts.find(.network, path: path, hash.value, in: bytes, 0..<bytes.count) {
                find(fact, program)
            }
        }
    }
}
