internal import Events
internal import JSON

/// Finds which of the rules' texts an event's are: all together, and most of them straight from the event.
extension MatchState {
    /// Finds or puts off what leads somewhere.
    mutating func lookUpAlways(_ path: Int32, at place: JSONIndex, _ program: Program, _ event: EventView) {
        if program.paths[path].isPlain, putOff(path, at: place, event.tape) { return }
        lookUp(path, program.paths[path].always, program, event)
    }

    /// Puts off a text of which nothing but its value is asked, straight from the event; false where it has to be read.
    private mutating func putOff(_ path: Int32, at place: JSONIndex, _ tape: JSONTape) -> Bool {
        guard tape.kind(place) == .string, !tape.hasEscapes(place) else { return false }
        let span = tape.span(place)
        let inside = span.lowerBound + 1..<span.upperBound - 1
        guard !inside.isEmpty, inside.count <= ShortText.longest, tape.bytes[inside.lowerBound] > 0x20,
            tape.bytes[inside.upperBound - 1] > 0x20
        else { return false }
        let text = ShortText(tape.bytes, inside)
        guard text.isASCII else { return false }
        texts.append(TextLookup(text.folded, inside.count, path: path))
        return true
    }

    /// Puts off a text that was read.
    mutating func lookUpText(_ element: Int, _ path: Int32, _ known: PathTable.Path, _ program: Program) {
        // Folding makes no text shorter than a third.
        let here = elements[element]
        if here.foldedStart < 0, Int(here.end - here.start) > 3 * Int(known.longestText),
            trimmed(Int(here.start), Int(here.end)).count > 3 * Int(known.longestText)
        {
            return
        }
        let range = fold(element)
        guard range.count <= Int(known.longestText) else { return }
        texts.append(TextLookup(folded, range, path: path))
    }

    /// Finds the facts of the texts that were put off.
    mutating func findTexts(_ program: Program) {
        guard !texts.isEmpty else { return }
        program.facts.find(&texts, in: folded)
        for index in texts.indices where texts[index].found != 0 {
            find(Int32(truncatingIfNeeded: texts[index].found) - 1, program)
        }
        texts.removeAll(keepingCapacity: true)
    }
}
