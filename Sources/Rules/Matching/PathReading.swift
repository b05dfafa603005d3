internal import Events
internal import JSON

/// Reads an event's fields: each path once, and only those that are asked for.
extension MatchState {
    mutating func read(_ path: Int32, _ program: Program, _ event: EventView) {
        guard paths[Int(path)].read != generation else { return }
        read(path, program.paths[path].kind, at: place(path, program, event), event.tape)
    }

    /// Where in the event the path leads; found once.
    mutating func place(_ path: Int32, _ program: Program, _ event: EventView) -> JSONIndex? {
        guard paths[Int(path)].placed != generation else { return paths[Int(path)].place }
        let place: JSONIndex?
        switch program.paths[path].place {
        case .event: place = event.tape.member(event.tape.root, "type")
        case .time: place = event.tape.member(event.tape.root, "time")
        case .field: place = event.value(program.paths[path].field)
        case .personal: return self.place(path, in: .personal, program, event)
        case .additional: return self.place(path, in: .additional, program, event)
        case .original: return self.place(path, in: .original, program, event)
        }
        paths[Int(path)].placed = generation
        paths[Int(path)].place = place
        return place
    }

    private mutating func place(
        _ path: Int32, in root: PathTree.Root, _ program: Program, _ event: EventView
    ) -> JSONIndex? {
        walk(root, program, event)
        let state = paths[Int(path)]
        return state.placed == generation ? state.place : nil
    }

    // MARK: Trees

    /// Finds every path of a tree in one pass over the event's members.
    mutating func walk(_ root: PathTree.Root, _ program: Program, _ event: EventView) {
        guard walked[Int(root.rawValue)] != generation else { return }
        walked[Int(root.rawValue)] = generation
        let place =
            switch root {
            case .personal: event.value(.personal)
            case .additional: event.value(.additional)
            case .original: event.original
            }
        if let place { walk(root.rawValue, place, program, event) }
    }

    private mutating func walk(_ node: Int32, _ place: JSONIndex, _ program: Program, _ event: EventView) {
        let path = program.paths.tree.path(node)
        if path >= 0 {
            paths[Int(path)].placed = generation
            paths[Int(path)].place = place
            if !program.paths[path].always.isEmpty { lookUpAlways(path, at: place, program, event) }
        }
        guard !program.paths.tree.isLeaf(node) else { return }
        let tape = event.tape
        switch tape.kind(place) {
        case .object:
            for (key, value) in tape.members(place) {
                work += 1
                if let child = child(node, key, program, tape) { walk(child, value, program, event) }
            }
        case .array:
            for (position, element) in tape.elements(place).enumerated() {
                guard position <= program.paths.tree.lastPosition else { break }
                work += 1
                let key = Array(String(position).utf8)
                if let child = program.paths.tree.child(node, key, 0..<key.count) {
                    walk(child, element, program, event)
                }
            }
        default:
            break
        }
    }

    private mutating func child(_ node: Int32, _ key: JSONIndex, _ program: Program, _ tape: JSONTape) -> Int32? {
        guard tape.hasEscapes(key) else {
            let span = tape.span(key)
            return program.paths.tree.child(node, tape.bytes, span.lowerBound + 1..<span.upperBound - 1)
        }
        let start = raw.count
        tape.appendText(key, to: &raw)
        defer { raw.removeLast(raw.count - start) }
        return program.paths.tree.child(node, raw, start..<raw.count)
    }

    // MARK: Values

    private mutating func read(_ path: Int32, _ kind: FieldKind, at place: JSONIndex?, _ tape: JSONTape) {
        let first = Int32(elements.count)
        var situation = Situations.absent
        if let place {
            switch tape.kind(place) {
            case .null: situation = .null
            case .array:
                situation = tape.count(place) == 0 ? .empty : .other
                readList(place, kind, tape)
            case .object: situation = tape.count(place) == 0 ? .empty : .other
            case .string:
                let start = raw.count
                tape.appendText(place, to: &raw)
                elements.append(Element(form: .text, start: Int32(start), end: Int32(raw.count)))
                situation = start == raw.count ? .empty : trimmed(start, raw.count).isEmpty ? .white : .other
            default:
                situation = .other
                readScalar(place, tape)
            }
        }
        paths[Int(path)].read = generation
        paths[Int(path)].done = []
        paths[Int(path)].situation = situation
        paths[Int(path)].isUndecidable = false
        paths[Int(path)].first = first
        paths[Int(path)].end = Int32(elements.count)
    }

    private mutating func readList(_ list: JSONIndex, _ kind: FieldKind, _ tape: JSONTape) {
        switch kind {
        case .identifiers, .any:
            for element in tape.elements(list) { readScalar(element, tape) }
        case .reasons:
            for element in tape.elements(list) {
                for part in [tape.member(element, "name"), tape.member(element, "reason")] {
                    if let part { readScalar(part, tape) }
                }
            }
        default:
            break
        }
    }

    private mutating func readScalar(_ place: JSONIndex, _ tape: JSONTape) {
        let form: Element.Form
        switch tape.kind(place) {
        case .string: form = .text
        case .integer, .decimal: form = .number
        case .boolTrue, .boolFalse: form = .boolean
        case .null, .array, .object: return
        }
        let start = Int32(raw.count)
        tape.appendText(place, to: &raw)
        elements.append(Element(form: form, start: start, end: Int32(raw.count)))
    }

    // MARK: Texts

    /// The part of `raw` without outer white space.
    func trimmed(_ start: Int, _ end: Int) -> Range<Int> {
        if start == end { return start..<end }
        let (first, last) = (raw[start], raw[end - 1])
        if first > 0x20, first < 0x80, last > 0x20, last < 0x80 { return start..<end }
        let inner = TextFolding.trimmed(Array(raw[start..<end]))
        return start + inner.lowerBound..<start + inner.upperBound
    }

    /// The element's range in `folded`: folded, without outer white space.
    mutating func fold(_ element: Int) -> Range<Int> {
        let known = elements[element]
        if known.foldedStart >= 0 { return Int(known.foldedStart)..<Int(known.foldedEnd) }
        let range = trimmed(Int(known.start), Int(known.end))
        let start = folded.count
        appendFolded(range)
        elements[element].foldedStart = Int32(start)
        elements[element].foldedEnd = Int32(folded.count)
        return start..<folded.count
    }

    private mutating func appendFolded(_ range: Range<Int>) {
        let start = folded.count
        folded.append(contentsOf: raw[range])
        var others: UInt8 = 0
        for place in start..<folded.count {
            let byte = folded[place]
            others |= byte
            if byte &- 0x41 < 26 { folded[place] = byte | 0x20 }
        }
        guard others >= 0x80 else { return }
        folded.removeLast(folded.count - start)
        TextFolding.fold(raw, range, into: &folded)
    }
}
