internal import Cryptography
internal import Events
package import JSON
internal import Targets

/// How much is told of attempts.
package enum AttemptDetail: Sendable {
    case brief
    /// With requests and answers.
    /// - hidesBatches: what went together with other events is left out: they may not be the reader's to see.
    case whole(RequestHistory, hidesBatches: Bool)
}

extension DeliveryRow {
    /// As `appendJSON`, with `history`: its attempts, oldest first.
    package func appendJSON(to writer: inout JSONWriter, _ attempts: [AttemptRow], _ detail: AttemptDetail) throws {
        var list = JSONWriter()
        list.beginArray()
        for attempt in attempts { try append(attempt, detail, to: &list) }
        list.endArray()
        appendJSON(to: &writer) { writer in
            writer.key("history")
            writer.raw(list.bytes)
        }
    }

    /// `{number, at, duration_ms, status, reason}`, and whole with `response` and `request`.
    private func append(_ attempt: AttemptRow, _ detail: AttemptDetail, to writer: inout JSONWriter) throws {
        writer.beginObject()
        writer.member("number", Int64(attempt.number))
        writer.member("at", Timestamp(milliseconds: attempt.atMs).text)
        writer.member("duration_ms", attempt.durationMs)
        writer.member("status", attempt.status.map(Int64.init))
        writer.member("reason", attempt.reason)
        if case .whole(let history, let hidesBatches) = detail {
            let isHidden = hidesBatches && attempt.request?.isBatch ?? false
            writer.key("response")
            try history.appendAnswer(of: attempt, isHidden: isHidden, to: &writer)
            writer.key("request")
            try history.appendRequest(of: attempt, self, isHidden: isHidden, to: &writer)
        }
        writer.endObject()
    }
}

extension RequestHistory {
    /// `{headers: [{name, value}], body, cut}`; null when there was none.
    fileprivate func appendAnswer(of attempt: AttemptRow, isHidden: Bool, to writer: inout JSONWriter) throws {
        guard let answer = try attempt.request.flatMap({ try answer(of: $0) }) else { return writer.null() }
        writer.beginObject()
        writer.append(answer.headers)
        writer.member("body", isHidden ? "***" : String(decoding: answer.body, as: UTF8.self))
        writer.key("cut")
        writer.bool(answer.isCut)
        writer.endObject()
    }

    /// `{reproducible, why, sha256, batch, method, url, headers, body, cut}`; null when nothing was sent.
    fileprivate func appendRequest(
        of attempt: AttemptRow, _ delivery: DeliveryRow, isHidden: Bool, to writer: inout JSONWriter
    ) throws {
        guard let sent = attempt.request, let past = try request(of: attempt, delivery) else { return writer.null() }
        writer.beginObject()
        writer.key("reproducible")
        switch past {
        case .reproduced(let rendition):
            writer.bool(true)
            writer.member("why", nil as String?)
            appendMark(sent, to: &writer)
            writer.member("method", rendition.method)
            writer.member("url", rendition.destination)
            writer.append(rendition.headers)
            writer.member("body", isHidden ? "***" : String(decoding: rendition.bytes, as: UTF8.self))
            writer.key("cut")
            writer.bool(false)
        case .lost(let why, let kept):
            writer.bool(false)
            writer.member("why", why)
            appendMark(sent, to: &writer)
            writer.member("method", nil as String?)
            writer.member("url", nil as String?)
            writer.append([])
            writer.member(
                "body", kept.map { isHidden ? "***" : String(decoding: $0.bytes, as: UTF8.self) })
            writer.key("cut")
            writer.bool(kept.map { $0.bytes.count < $0.size } ?? false)
        }
        writer.endObject()
    }

    private func appendMark(_ request: AttemptRow.Request, to writer: inout JSONWriter) {
        writer.member("sha256", Hex.encode(request.digest))
        writer.key("batch")
        writer.bool(request.isBatch)
    }
}

extension JSONWriter {
    fileprivate mutating func append(_ headers: [TargetRendition.Header]) {
        key("headers")
        beginArray()
        for header in headers {
            beginObject()
            member("name", header.name)
            member("value", header.value)
            endObject()
        }
        endArray()
    }
}
