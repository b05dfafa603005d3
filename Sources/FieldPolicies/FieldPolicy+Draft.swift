package import Events
package import JSON

extension FieldPolicy {
    /// Changes an event in the making as its source keeps it. Its id, subject and key are made afterwards: the id of the
    /// sender's own dedupe key, the others of what is left.
    package func apply(to draft: inout EventDraft, _ tape: JSONTape) {
        draft.leavesOutOriginal = true
        let parser = JSONParser()
        for field in EventField.allCases {
            guard let rule = rule(field) else { continue }
            if rule.removesAll {
                draft[field] = .absent
            } else if case .map(let entries) = draft[field] {
                draft[field] = .map(
                    entries.compactMap { entry in
                        guard let change = rule.change(ofEntry: String(decoding: entry.key, as: UTF8.self)) else {
                            return entry
                        }
                        let value = entry.value.changed(by: change, .any, tape, parser)
                        return value == .absent ? nil : MapEntry(key: entry.key, value: value)
                    })
            } else if let change = rule.change {
                draft[field] = draft[field].changed(by: change, field.kind, tape, parser)
            }
        }
    }
}

extension FieldValue {
    fileprivate func changed(
        by change: ValueChange, _ kind: FieldKind, _ tape: JSONTape, _ parser: JSONParser
    ) -> FieldValue {
        if self == .absent || self == .null { return self }
        guard let own = try? parser.parse(json(tape)) else { return .absent }
        switch change.applied(to: own, own.root, kind) {
        case .same: return self
        case .absent: return .absent
        case .text(let text): return .text(Array(text.utf8))
        case .json(let json): return .json(json)
        }
    }

    /// The value by itself.
    private func json(_ tape: JSONTape) -> [UInt8] {
        var writer = JSONWriter()
        switch self {
        case .absent, .null, .map: writer.null()
        case .raw(let range): writer.raw(tape.bytes[range])
        case .quoted(let range): writer.string(utf8: tape.bytes[range])
        case .json(let json): writer.raw(json)
        case .text(let text): writer.string(utf8: text)
        case .boolean(let flag): writer.bool(flag)
        case .time(let time): writer.plainString { time.append(to: &$0) }
        }
        return writer.bytes
    }
}
