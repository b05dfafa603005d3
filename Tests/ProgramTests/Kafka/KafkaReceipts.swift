import Foundation
import HTTPTypes
import Synchronization
import TestSupport

/// What a webhook target received from all instances together, in the order in which it came.
final class KafkaReceipts: Sendable {
    struct Receipt: Sendable {
        var id: String
        var type: String
        /// The unit of order.
        var key: String
        /// Which instance sent it: the last part of the path.
        var instance: String
        var at: ContinuousClock.Instant
    }

    /// An event that had come before.
    struct Repeat: Sendable {
        var first: Receipt
        var again: Receipt
    }

    private struct State {
        var all: [Receipt] = []
        var problems: [String] = []
    }

    private let state = Mutex(State())
    private let server: Mutex<ScriptedServer?>

    init() {
        server = Mutex(nil)
        server.withLock { server in
            server = ScriptedServer { [weak self] request in
                self?.take(request)
                return HTTPResponse(status: 200)
            }
        }
    }

    /// A target that every instance has: what it sends carries the instance's name.
    func target(_ name: String, _ more: String = "") -> String {
        let url = server.withLock { $0!.url("/hook/") } + "${env:INSTANCE}"
        return "  \(name): {type: webhook, url: \"\(url)\", allow: 127.0.0.1/32, \(more)"
            + "sign: {scheme: standard-webhooks, secrets: \"${env:PARTNER_SECRET}\"}}"
    }

    var all: [Receipt] { state.withLock(\.all) }
    var count: Int { state.withLock(\.all.count) }
    var ids: Set<String> { Set(all.map(\.id)) }
    /// What must never be, such as a wrong signature.
    var problems: [String] { state.withLock(\.problems) }

    /// The first receipt of each event, in the order in which they came.
    var firsts: [Receipt] {
        var seen: Set<String> = []
        return all.filter { seen.insert($0.id).inserted }
    }

    var repeats: [Repeat] {
        var firsts: [String: Receipt] = [:]
        var repeats: [Repeat] = []
        for receipt in all {
            if let first = firsts[receipt.id] {
                repeats.append(Repeat(first: first, again: receipt))
            } else {
                firsts[receipt.id] = receipt
            }
        }
        return repeats
    }

    private func take(_ request: ScriptedRequest) {
        do {
            let receipt = try Self.receipt(request)
            state.withLock { $0.all.append(receipt) }
        } catch {
            state.withLock { $0.problems.append("\(error)") }
        }
    }

    private static func receipt(_ request: ScriptedRequest) throws -> Receipt {
        guard let id = request.headers["webhook-id"], let time = request.headers["webhook-timestamp"],
            let signature = request.headers["webhook-signature"]
        else { throw Failure("an unsigned request") }
        let mac = Independent.hmacSHA256(key: Secrets.webhookKey, Array("\(id).\(time).".utf8) + request.body)
        guard signature == "v1," + Independent.base64(mac) else { throw Failure("a wrong signature") }
        let event = try JSON.object(String(decoding: request.body, as: UTF8.self))
        guard event["id"] as? String == id, let type = event["type"] as? String,
            let key = event["partitionkey"] as? String
        else { throw Failure("webhook-id is not the event's: \(id)") }
        let instance = request.target.split(separator: "/").last.map(String.init) ?? ""
        return Receipt(id: id, type: type, key: key, instance: instance, at: .now)
    }
}
