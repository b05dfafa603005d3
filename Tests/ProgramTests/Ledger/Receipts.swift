import Foundation
import Synchronization

/// What one target received, written down outside the program.
final class Receipts: Sendable {
    struct State {
        /// How often each event came, ever.
        var counts: [String: Int] = [:]
        /// Those that came since the last kill.
        var current: Set<String> = []
        /// Receipts of events that had come before the last kill, or while they might come again.
        var repeats = 0
        var mayRepeat = false
        /// What must never be: a wrong signature, a broken frame, an event twice without a kill in between.
        var problems: [String] = []
    }

    private let state = Mutex(State())

    func received(_ id: String) {
        state.withLock { state in
            if !state.current.insert(id).inserted, !state.mayRepeat {
                state.problems.append("\(id) came twice although nothing was killed")
            }
            if state.counts[id] != nil { state.repeats += 1 }
            state.counts[id, default: 0] += 1
        }
    }

    func problem(_ text: String) {
        state.withLock { state in
            if state.problems.count < 100 { state.problems.append(text) }
        }
    }

    /// A webhook, whose signature is checked by Standard Webhooks' own rules.
    ///
    /// - Parameter header: the value of a header, by its name in lower case.
    func receivedWebhook(_ body: [UInt8], _ header: (String) -> String?) {
        guard let id = header("webhook-id"), let time = header("webhook-timestamp"),
            let signature = header("webhook-signature")
        else { return problem("an unsigned request") }
        let mac = Independent.hmacSHA256(key: Secrets.webhookKey, Array("\(id).\(time).".utf8) + body)
        guard signature == "v1," + Independent.base64(mac) else { return problem("a wrong signature") }
        guard let event = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any],
            event["id"] as? String == id
        else { return problem("webhook-id is not the event's: \(id)") }
        received(id)
    }

    /// The program was killed and everything it had sent is here: from now on an event may come again.
    func beginGeneration() {
        state.withLock { state in
            state.current = []
            state.mayRepeat = false
        }
    }

    /// From now on an event may come again although the program lives.
    func allowRepeats() { state.withLock { $0.mayRepeat = true } }

    var snapshot: State { state.withLock { $0 } }
}

/// A webhook receiver of one connection after the other.
final class WebhookConnection: ReceiverConnection {
    private let receipts: Receipts
    private var buffered = Data()

    init(_ receipts: Receipts) {
        self.receipts = receipts
    }

    func received(_ bytes: Data) -> Data? {
        buffered.append(bytes)
        var answers = Data()
        while let end = buffered.range(of: Data([13, 10, 13, 10])) {
            let headers = Self.headers(buffered[..<end.lowerBound])
            guard let count = headers["content-length"].flatMap({ Int($0) }) else {
                receipts.problem("a request without Content-Length")
                return nil
            }
            guard buffered.endIndex - end.upperBound >= count else { break }
            receipts.receivedWebhook(Array(buffered[end.upperBound..<end.upperBound + count])) { headers[$0] }
            buffered = Data(buffered[(end.upperBound + count)...])
            answers.append(Data("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8))
        }
        return answers
    }

    static func headers(_ head: Data) -> [String: String] {
        var headers: [String: String] = [:]
        for line in String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n").dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        return headers
    }
}

/// A syslog receiver (RFC 6587, octet counting) of JSON messages.
final class SyslogConnection: ReceiverConnection {
    private let receipts: Receipts
    private var buffered = Data()

    init(_ receipts: Receipts) {
        self.receipts = receipts
    }

    func received(_ bytes: Data) -> Data? {
        buffered.append(bytes)
        while let space = buffered.firstIndex(of: 0x20) {
            guard let count = Int(String(decoding: buffered[..<space], as: UTF8.self)), count > 0 else {
                receipts.problem("a frame without its length")
                return nil
            }
            guard buffered.endIndex - space - 1 >= count else { break }
            take(Data(buffered[(space + 1)..<(space + 1 + count)]))
            buffered = Data(buffered[(space + 1 + count)...])
        }
        return Data()
    }

    /// `<PRI>1 TIMESTAMP HOST APP PROCID MSGID SD MSG`, structured data being nil.
    private func take(_ message: Data) {
        let parts = message.split(separator: 0x20, maxSplits: 7, omittingEmptySubsequences: false)
        guard parts.count == 8, parts[0].last == UInt8(ascii: "1"), parts[6] == Data("-".utf8),
            let event = try? JSONSerialization.jsonObject(with: parts[7]) as? [String: Any],
            let id = event["id"] as? String,
            event["type"] as? String == String(decoding: parts[5], as: UTF8.self)
        else { return receipts.problem("not a message: \(String(decoding: message.prefix(200), as: UTF8.self))") }
        receipts.received(id)
    }
}

/// What is in a file target's file, read on from where it was left.
final class FileReader: Sendable {
    private let path: String
    private let receipts: Receipts
    private let position = Mutex(0)

    init(_ path: String, _ receipts: Receipts) {
        self.path = path
        self.receipts = receipts
    }

    /// Takes in every whole line. Half a line at the end is what a kill left behind: the next start takes it away.
    func read() {
        position.withLock { position in
            guard let file = FileHandle(forReadingAtPath: path) else { return }
            defer { try? file.close() }
            guard (try? file.seek(toOffset: UInt64(position))) != nil, let bytes = try? file.readToEnd() else { return }
            for line in bytes.split(separator: 0x0A).dropLast(bytes.last == 0x0A ? 0 : 1) {
                guard let event = try? JSONSerialization.jsonObject(with: line) as? [String: Any],
                    let id = event["id"] as? String
                else {
                    receipts.problem("a broken line: \(String(decoding: line.prefix(200), as: UTF8.self))")
                    continue
                }
                receipts.received(id)
            }
            position += (bytes.lastIndex(of: 0x0A).map { $0 - bytes.startIndex + 1 }) ?? 0
        }
    }
}
