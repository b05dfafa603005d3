package import Events
package import JSON

/// One element of a payload as a canonical event: the sender's own reading, then what the source's configuration adds.
package enum Decoder {
    /// - Parameters:
    ///   - element: one event; where the sender batches, one element of the list.
    ///   - query: the notification URL's query, as received.
    ///   - messageID: the signed `webhook-id`, where one message is one event; it takes the place of the sender's
    ///     dedupe key.
    ///   - draft: reset by the caller.
    package static func decode(
        _ tape: JSONTape, _ element: JSONIndex, vendor: any Vendor, settings: DecodeSettings, query: String?,
        messageID: String? = nil, into draft: inout EventDraft
    ) {
        vendor.decode(tape, element, settings, into: &draft)
        let sensitive = SensitiveMembers(of: vendor)
        let found = sensitive.all(tape, element)
        if !found.isEmpty {
            draft.scrub(tape, of: found)
            if !settings.keepsBiometrics {
                for member in found { draft.removals.remove(tape, key: member.key, value: member.value) }
            }
        }
        applyMap(tape, element, settings, sensitive, &draft)
        applyGroup(tape, settings.group, query, &draft)
        if let key = tape.nonEmptyText(tape.first(of: settings.map.key, in: element)) {
            draft.dedupeKey = key
        } else if let messageID, !messageID.isEmpty {
            draft.dedupeKey = Array(messageID.utf8)
        }
        draft.set(.vendor, text: vendor.name)
        draft.set(.source, text: settings.source)
        draft[.receivedAt] = .time(draft.receivedAt)
        if draft.time == nil { draft[.timeInferred] = .boolean(true) }
    }

    /// A pointer into what is sensitive finds nothing, unless the source keeps that outright.
    private static func applyMap(
        _ tape: JSONTape, _ element: JSONIndex, _ settings: DecodeSettings, _ sensitive: SensitiveMembers,
        _ draft: inout EventDraft
    ) {
        for (field, pointers) in settings.map.fields {
            let allowed =
                settings.keepsBiometrics
                ? pointers : pointers.filter { !$0.tokens.contains(where: sensitive.contains) }
            guard let found = tape.first(of: allowed, in: element) else { continue }
            guard settings.keepsBiometrics || !sensitive.isIn(tape, found) else { continue }
            draft.set(field, tape, found)
        }
    }

    private static func applyGroup(
        _ tape: JSONTape, _ group: GroupSetting?, _ query: String?, _ draft: inout EventDraft
    ) {
        guard let group, draft.text(.groupName, in: tape) == nil else { return }
        switch group {
        case .name(let name):
            draft.set(.groupName, text: name)
        case .query(let parameter):
            guard let value = query.flatMap({ QueryParameters.value(of: parameter, in: $0) }), !value.isEmpty
            else { return }
            draft[.groupName] = .text(value)
        }
    }
}

/// Reads a URL's query (the WHATWG's `application/x-www-form-urlencoded`).
enum QueryParameters {
    /// The first value of that name, decoded; what is not UTF-8 is left to the writer.
    static func value(of name: String, in query: String) -> [UInt8]? {
        for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
            let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard decoded(halves[0]).elementsEqual(name.utf8) else { continue }
            return halves.count == 2 ? decoded(halves[1]) : []
        }
        return nil
    }

    private static func decoded(_ text: Substring.UTF8View) -> [UInt8] {
        var result: [UInt8] = []
        let bytes = Array(text)
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "%"), position + 2 < bytes.count, let high = digit(bytes[position + 1]),
                let low = digit(bytes[position + 2])
            {
                result.append(high << 4 | low)
                position += 3
            } else {
                result.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                position += 1
            }
        }
        return result
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init)
    }
}
