import Events
import HTTPClient
import JSON

/// Reads one answer of 2xx by a target's `response:`.
struct ResponseJudge: Sendable {
    let predicate: ResponsePredicate
    let names: EventNames

    /// What became of each event. What is not understood is a failure: nothing counts as taken that was not said to be.
    /// - Parameters:
    ///   - receipt: what each event that was taken gets.
    ///   - now: `Retry-After` may be a date.
    func outcome(_ answer: HTTPClientResponse, _ receipt: DeliveryReceipt, now: Timestamp) -> BatchOutcome {
        let verdicts: Answer
        do throws(AnswerError) {
            verdicts = try read(answer)
        } catch {
            return .all(
                .failed(
                    DeliveryFailure(
                        code: "bad_response", message: "the receiver answered \(answer.status), but \(error.message)",
                        blame: .target, status: answer.status, duration: answer.duration, response: answer.body)))
        }
        lazy var retryAfter = RetryAfter.delay(answer, now: now)
        func outcome(_ verdict: Judgement) -> DeliveryOutcome {
            verdict.code == nil
                ? .delivered(receipt)
                : .failed(verdict.failure(answer, retryAfter: retryAfter))
        }
        switch verdicts {
        case .whole(let verdict): return .all(outcome(verdict))
        case .each(let verdicts):
            // The receiver's fault with all of them alike: they wait as one.
            if let first = verdicts.first, first.isReceiversFault, verdicts.allSatisfy({ $0.code == first.code }) {
                return .all(outcome(first))
            }
            return .each(verdicts.map(outcome))
        }
    }

    private enum Answer {
        case whole(Judgement)
        case each([Judgement])
    }

    private func read(_ answer: HTTPClientResponse) throws(AnswerError) -> Answer {
        guard !answer.isTruncated else {
            throw AnswerError("what it says is longer than \(answer.body.count) bytes")
        }
        let tape: JSONTape
        do throws(JSONError) {
            tape = try JSONParser(maximumDepth: 64).parse(answer.body)
        } catch {
            throw AnswerError("what it says is not JSON: \(error.message)")
        }
        let whole = predicate.whole.judge(tape, tape.root)
        guard whole.code == nil, let items = predicate.items else { return .whole(whole) }
        var verdicts: [Judgement?] = Array(repeating: nil, count: names.count)
        if items.id == nil {
            try readInOrder(items, tape, &verdicts)
        } else {
            try readByName(items, names.items, tape, isErrors: false) { verdicts[$0] = $1 }
        }
        if let errors = predicate.errors, tape.value(at: errors.at).map({ tape.kind($0) != .null }) ?? false {
            try readByName(errors, names.errors, tape, isErrors: true) { verdicts[$0] = $1 }
        }
        return .each(verdicts.map { $0 ?? .unnamed })
    }

    /// Results that are not as many as the events could belong to any of them.
    private func readInOrder(
        _ list: ResponsePredicate.ResultList, _ tape: JSONTape, _ verdicts: inout [Judgement?]
    ) throws(AnswerError) {
        let results = try results(list, tape)
        guard tape.count(results) == names.count else {
            throw AnswerError("it has \(tape.count(results)) results for \(names.count) events")
        }
        for (place, result) in tape.elements(results).enumerated() {
            verdicts[place] = list.verdict.judge(tape, result)
        }
    }

    private func readByName(
        _ list: ResponsePredicate.ResultList, _ places: [String: [Int]], _ tape: JSONTape,
        isErrors: Bool, _ set: (Int, Judgement) -> Void
    ) throws(AnswerError) {
        for result in tape.elements(try results(list, tape)) {
            guard let id = list.id, let named = tape.value(at: id, from: result) else { continue }
            let verdict = list.verdict.judge(tape, result, isError: isErrors)
            let texts =
                tape.kind(named) == .array
                ? tape.elements(named).compactMap { tape.scalarText($0) } : [tape.scalarText(named)].compactMap(\.self)
            for text in texts {
                for place in places[text] ?? [] { set(place, verdict) }
            }
        }
    }

    private func results(
        _ list: ResponsePredicate.ResultList, _ tape: JSONTape
    ) throws(AnswerError) -> JSONIndex {
        guard let results = tape.value(at: list.at), tape.kind(results) == .array else {
            throw AnswerError("it has no list at `\(list.at.description)`")
        }
        return results
    }
}

private struct AnswerError: Error {
    /// Follows "the receiver answered, but".
    let message: String

    init(_ message: String) {
        self.message = message
    }
}

/// What a part of an answer says.
private struct Judgement {
    /// Nil: taken.
    var code: String?
    var isReceiversFault = false
    /// JSON.
    var part: [UInt8] = []

    static let unnamed = Judgement(code: "no_result", isReceiversFault: true)

    func failure(_ answer: HTTPClientResponse, retryAfter: Duration?) -> DeliveryFailure {
        let message =
            switch code {
            case "answer_refused": "the receiver answered \(answer.status) and says that it did not take this event"
            case "answer_retry": "the receiver answered \(answer.status) and says that it did not take this event now"
            default: "the receiver answered \(answer.status) and says nothing of this event"
            }
        return DeliveryFailure(
            code: code ?? "", message: message, blame: isReceiversFault ? .target : .event, status: answer.status,
            retryAfter: retryAfter, duration: answer.duration, response: part.isEmpty ? answer.body : part)
    }
}

extension ResponsePredicate.Verdict {
    /// - Parameter isError: it is a failure if nothing is said of it.
    fileprivate func judge(_ tape: JSONTape, _ place: JSONIndex, isError: Bool = false) -> Judgement {
        if let ok, ok.holds(tape, place) { return Judgement() }
        let part = Array(tape.bytes[tape.span(place)].prefix(DeliveryFailure.maximumResponse))
        if let retry, retry.holds(tape, place) {
            return Judgement(code: "answer_retry", isReceiversFault: true, part: part)
        }
        return ok == nil && !isError ? Judgement() : Judgement(code: "answer_refused", part: part)
    }
}
