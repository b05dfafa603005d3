internal import Events
internal import JSON
internal import TimeZones

/// Answers the steps of a condition.
extension MatchState {
    mutating func isTrue(_ fact: Int32, _ program: Program, _ event: EventView) -> Bool {
        if facts[Int(fact)] >> 1 == generation { return facts[Int(fact)] & 1 == 1 }
        let known = program.facts[fact]
        if known.isFound {
            lookUp(
                known.path, known.kind == .oneOf ? Lookups(rawValue: UInt8(known.count)) : .of(known.kind), program,
                event)
            findTexts(program)
        } else {
            test(fact, program, event)
        }
        return facts[Int(fact)] == generation << 1 | 1
    }

    private mutating func isAnyTrue(_ place: Int, _ count: Int32, _ program: Program, _ event: EventView) -> Bool {
        for fact in place + 1...place + Int(count) where isTrue(program.conditions.code[fact], program, event) {
            return true
        }
        return false
    }

    /// Of a condition no part of which can be undecidable.
    mutating func holds(_ place: Int, _ program: Program, _ event: EventView) -> Bool {
        let step = Step(raw: program.conditions.code[place])
        switch step.operation {
        case .fact: return isTrue(step.number, program, event)
        case .noFact: return !isTrue(step.number, program, event)
        case .facts: return isAnyTrue(place, step.number, program, event)
        case .noFacts: return !isAnyTrue(place, step.number, program, event)
        case .inside, .outside, .notInside, .notOutside: return calendar(step, program, event) == .holds
        case .named: return truth(ofCondition: step.number, program, event) == .holds
        case .notNamed: return truth(ofCondition: step.number, program, event) == .fails
        case .all:
            var part = place + 1
            let end = part + Int(step.number)
            while part < end {
                guard holds(part, program, event) else { return false }
                part += Step(raw: program.conditions.code[part]).length
            }
            return true
        case .any:
            var part = place + 1
            let end = part + Int(step.number)
            while part < end {
                if holds(part, program, event) { return true }
                part += Step(raw: program.conditions.code[part]).length
            }
            return false
        }
    }

    /// In three values (Kleene).
    mutating func truth(_ place: Int, _ program: Program, _ event: EventView) -> Truth {
        let step = Step(raw: program.conditions.code[place])
        switch step.operation {
        case .fact, .noFact:
            if isUndecidable(step.number, program, event) { return .undecidable }
            return isTrue(step.number, program, event) == (step.operation == .fact) ? .holds : .fails
        case .facts, .noFacts:
            return isAnyTrue(place, step.number, program, event) == (step.operation == .facts) ? .holds : .fails
        case .inside, .outside, .notInside, .notOutside: return calendar(step, program, event)
        case .named: return truth(ofCondition: step.number, program, event)
        case .notNamed: return truth(ofCondition: step.number, program, event).negated
        case .all, .any:
            let deciding: Truth = step.operation == .all ? .fails : .holds
            var result = deciding.negated
            var part = place + 1
            let end = part + Int(step.number)
            while part < end {
                let truth = self.truth(part, program, event)
                if truth == deciding { return deciding }
                if truth == .undecidable { result = .undecidable }
                part += Step(raw: program.conditions.code[part]).length
            }
            return result
        }
    }

    /// Found out once for an event.
    mutating func truth(ofCondition condition: Int32, _ program: Program, _ event: EventView) -> Truth {
        let known = truths[Int(condition)]
        if known >> 2 == generation { return Truth(known) }
        let range = program.conditions.range(of: condition)
        let truth: Truth =
            if program.conditions.isFallible[Int(condition)] {
                self.truth(range.lowerBound, program, event)
            } else {
                holds(range.lowerBound, program, event) ? .holds : .fails
            }
        truths[Int(condition)] = generation << 2 | UInt32(truth.rawValue)
        work += 1
        return truth
    }

    // MARK: What cannot be decided

    /// Whether any part, asked or not, cannot be decided.
    mutating func hasUndecidable(_ range: Range<Int>, _ program: Program, _ event: EventView) -> Bool {
        var place = range.lowerBound
        while place < range.upperBound {
            let step = Step(raw: program.conditions.code[place])
            switch step.operation {
            case .fact, .noFact: if isUndecidable(step.number, program, event) { return true }
            case .inside, .outside, .notInside, .notOutside:
                if calendar(step, program, event) == .undecidable { return true }
            case .named, .notNamed:
                if program.conditions.isFallible[Int(step.number)],
                    hasUndecidable(program.conditions.range(of: step.number), program, event)
                {
                    return true
                }
            case .facts, .noFacts, .all, .any: break
            }
            place += step.operation == .all || step.operation == .any ? 1 : step.length
        }
        return false
    }

    private mutating func isUndecidable(_ fact: Int32, _ program: Program, _ event: EventView) -> Bool {
        let known = program.facts[fact]
        guard known.kind == .numberRange else { return false }
        lookUp(known.path, .ranges, program, event)
        return paths[Int(known.path)].isUndecidable
    }

    // MARK: Calendars

    private mutating func calendar(_ step: Step, _ program: Program, _ event: EventView) -> Truth {
        let place = place(in: step.number, program, event)
        switch step.operation {
        case .inside: return place == .unknown ? .undecidable : place == .inside ? .holds : .fails
        case .outside: return place == .unknown ? .undecidable : place == .outside ? .holds : .fails
        case .notInside: return place == .unknown ? .undecidable : place == .inside ? .fails : .holds
        default: return place == .unknown ? .undecidable : place == .outside ? .fails : .holds
        }
    }

    /// Where the event's time stands in a calendar; found out once for an event.
    private mutating func place(in calendar: Int32, _ program: Program, _ event: EventView) -> CalendarPlace {
        let known = calendars[Int(calendar)]
        if known >> 2 == generation { return CalendarPlace(known) }
        var place = CalendarPlace.nowhere
        if let time = time(event) {
            let own = program.values.calendars[Int(calendar)]
            let zone = own.zone == nil ? zone(program, event) : program.values.calendarZones[Int(calendar)]
            place = zone.map { own.contains($0.clock(at: time)) ? .inside : .outside } ?? .unknown
        }
        calendars[Int(calendar)] = generation << 2 | UInt32(place.rawValue)
        return place
    }

    private mutating func zone(_ program: Program, _ event: EventView) -> ZoneRules? {
        if eventZone.generation != generation { eventZone = (program.values.zones.zone(of: event), generation) }
        return eventZone.value
    }
}

/// Of a time in a calendar.
private enum CalendarPlace: UInt8 {
    case inside, outside
    /// The event has no time.
    case nowhere
    /// The zone is not known.
    case unknown

    /// The two lowest bits, which were written from one.
    init(_ bits: UInt32) { self = CalendarPlace(rawValue: UInt8(bits & 3))! }
}

extension Truth {
    /// The two lowest bits, which were written from one.
    fileprivate init(_ bits: UInt32) { self = Truth(rawValue: UInt8(bits & 3))! }

    var negated: Truth {
        switch self {
        case .holds: .fails
        case .fails: .holds
        case .undecidable: .undecidable
        }
    }
}
