internal import Events
internal import JSON
internal import Rules
internal import Vendors

/// Reads what an asked system says:
/// `{"decision": "admit|review|deny", "message": …, "admin_notes": …, "visitor_notes": …}`, the texts optional. Strictly:
/// who says anything else may have meant anything.
enum AskedAnswer {
    /// Bytes of a whole answer.
    static let largest = 64 << 10

    static func read(_ body: [UInt8]) throws(AskFailure) -> DecisionReply {
        let tape: JSONTape
        do {
            tape = try JSONParser().parse(body)
        } catch {
            throw malformed("it is not JSON: \(error.message)")
        }
        guard tape.kind(tape.root) == .object else { throw malformed("it is no object") }
        var reply: DecisionReply?
        var texts: [String: String] = [:]
        for (key, value) in tape.members(tape.root) {
            let name = tape.text(key) ?? ""
            guard tape.kind(value) == .string, let text = tape.text(value) else {
                throw malformed("a member is no text")
            }
            switch name {
            case "decision":
                guard let outcome = DecisionOutcome(rawValue: text) else {
                    throw malformed("`decision` is not admit, review or deny")
                }
                reply = DecisionReply(outcome)
            case "message", "admin_notes", "visitor_notes":
                guard text.utf8.count <= DecisionText.longest else { throw malformed("`\(name)` is too long") }
                texts[name] = text
            default: throw malformed("it has a member that is not known")
            }
        }
        guard var reply else { throw malformed("it has no `decision`") }
        reply.message = texts["message"]
        reply.adminNotes = texts["admin_notes"]
        reply.visitorNotes = texts["visitor_notes"]
        return reply
    }

    private static func malformed(_ what: String) -> AskFailure {
        AskFailure("answer_malformed", "the answer cannot be taken: \(what)")
    }
}
