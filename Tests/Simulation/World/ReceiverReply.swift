import Events
import SimulatedDisk
import Targets

/// How a receiver answers one request.
struct Reply {
    struct Part {
        /// The receiver has the event, whatever it says.
        var arrives: Bool
        var outcome: DeliveryOutcome
    }

    /// In the order of the events. An answer may end before the last of them.
    var parts: [Part]
    /// It is an answer for each of them.
    var isOfEach = false
    /// After how many nanoseconds; nil: before `send` returns.
    var delay: Int64?

    var outcome: BatchOutcome { isOfEach ? .each(told.map(\.outcome)) : .all(parts[0].outcome) }
    /// Of so many the answer says nothing.
    var untold = 0
    private var told: ArraySlice<Part> { parts.dropLast(untold) }

    func short(isBatch: Bool) -> String {
        let texts = parts.map { "\($0.arrives ? "taken" : "not taken"), \($0.outcome.short)" }
        if !isBatch || Set(texts).count == 1 { return texts[0] }
        return texts.joined(separator: "; ") + (untold > 0 ? "; says nothing of the last \(untold)" : "")
    }
}

extension SimulatedReceiver {
    func reply(to ids: [EventID]) -> Reply {
        let quick: Int64? = world.random.oneIn(3) ? nil : .milliseconds(world.random.integer(0...5))
        if world.isHealed || plan.temper == .steady { return judged(ids, quick) }
        if awayUntil > world.now { return none(ids, .unreachable("connect_refused"), within: 20) }
        switch world.random.integer(0...29) {
        case 0: return none(ids, .unreachable("connection_reset"), within: 50)
        case 1: return first(ids.count, of: ids, .unreachable("connection_reset"), .milliseconds(3))
        case 2:
            let arriving = world.random.oneIn(2) ? world.random.integer(0...ids.count) : ids.count
            return first(arriving, of: ids, .unreachable("timeout"), .milliseconds(Self.timeoutMs))
        case 3: return first(0, of: ids, .answered(503, retryAfterSeconds: world.random.integer(0...120)), quick)
        case 4: return first(0, of: ids, .answered(429, retryAfterSeconds: world.random.oneIn(2) ? 5 : nil), quick)
        case 5: return first(0, of: ids, .answered(500), quick)
        case 6 where world.random.oneIn(20): return first(0, of: ids, .gone, quick)
        case 7...9: return judged(ids, .milliseconds(world.random.integer(20...4000)))
        case 10...12 where plan.judgesEach && ids.count > 1: return moody(judged(ids, quick))
        default: return judged(ids, quick)
        }
    }

    /// What it answers when all is well.
    private func judged(_ ids: [EventID], _ delay: Int64?) -> Reply {
        if plan.judgesEach { return Reply(parts: ids.map(judged), isOfEach: true, delay: delay) }
        let bad = ids.first(where: failsOver) ?? ids.first(where: refuses)
        return bad.map { first(0, of: ids, judged($0).outcome, delay) } ?? first(ids.count, of: ids, .taken, delay)
    }

    private func judged(_ id: EventID) -> Reply.Part {
        if failsOver(id) { return Reply.Part(arrives: false, outcome: .answered(500)) }
        if refuses(id) { return Reply.Part(arrives: false, outcome: .refused([400, 413, 422][Int(id.low % 3)])) }
        return Reply.Part(arrives: true, outcome: .taken)
    }

    /// Fails over some of them that it would take, or says nothing of the last ones.
    private func moody(_ reply: Reply) -> Reply {
        var reply = reply
        if world.random.oneIn(2) {
            reply.untold = world.random.integer(1...reply.parts.count)
            for index in reply.parts.indices.suffix(reply.untold) {
                reply.parts[index].outcome = .answered(500)
            }
        } else {
            for index in reply.parts.indices where world.random.oneIn(4) {
                reply.parts[index] = Reply.Part(arrives: world.random.oneIn(2), outcome: .answered(503))
            }
        }
        return reply
    }

    /// As many arrive, and all of them get one answer.
    private func first(
        _ arriving: Int, of ids: [EventID], _ outcome: DeliveryOutcome, _ delay: Int64?
    ) -> Reply {
        Reply(parts: ids.indices.map { Reply.Part(arrives: $0 < arriving, outcome: outcome) }, delay: delay)
    }

    private func none(_ ids: [EventID], _ outcome: DeliveryOutcome, within milliseconds: Int) -> Reply {
        first(0, of: ids, outcome, .milliseconds(world.random.integer(0...milliseconds)))
    }
}

extension DeliveryOutcome {
    static let taken = DeliveryOutcome.delivered(DeliveryReceipt(status: 200, duration: .milliseconds(3), bytes: 100))
    static let gone = failure("http_410", .gone, 410)

    static func refused(_ status: Int) -> DeliveryOutcome { failure("http_\(status)", .event, status) }

    static func unreachable(_ code: String) -> DeliveryOutcome { failure(code, .target, nil) }

    static func answered(_ status: Int, retryAfterSeconds: Int? = nil) -> DeliveryOutcome {
        failure("http_\(status)", .target, status, retryAfterSeconds.map { .seconds($0) })
    }

    private static func failure(
        _ code: String, _ blame: Blame, _ status: Int?, _ retryAfter: Duration? = nil
    ) -> DeliveryOutcome {
        .failed(
            DeliveryFailure(code: code, message: "It failed.", blame: blame, status: status, retryAfter: retryAfter))
    }

    var short: String {
        switch self {
        case .delivered: "delivered"
        case .failed(let failure): failure.code
        }
    }
}
