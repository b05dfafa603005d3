import Foundation

/// A record as kcat, a reader that is not ours, tells of it.
package struct ReadRecord: Sendable, Hashable {
    package var partition: Int
    package var key: String?
    package var headers: [String: String]
    package var value: String
}

/// Why a topic could not be read.
package struct KafkaReadError: Error, CustomStringConvertible {
    package var description: String
}

/// Reads a topic from its beginning to its end with kcat.
/// - Parameter end: milliseconds since 1970 UTC; records that are younger are left out. Of a topic that is being written to
///   nobody finds the end otherwise.
package func readTopic(_ topic: String, _ brokers: [String], untilMs end: Int64? = nil) throws -> [ReadRecord] {
    let range = end.map { ["-o", "s@0", "-o", "e@\($0)"] } ?? []
    let (status, output) = try run(
        "kcat", ["-C", "-e", "-q", "-J", "-b", brokers.joined(separator: ","), "-t", topic] + range)
    guard status == 0 else { throw KafkaReadError(description: "kcat (apt-get install kcat): \(output)") }
    return try output.split(separator: "\n").filter { $0.hasPrefix("{") }.map { line in
        guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
            let partition = object["partition"] as? Int
        else { throw KafkaReadError(description: "kcat says \(line)") }
        let list = object["headers"] as? [String] ?? []
        let pairs = stride(from: 0, to: list.count - 1, by: 2).map { (list[$0], list[$0 + 1]) }
        return ReadRecord(
            partition: partition, key: object["key"] as? String,
            headers: Dictionary(pairs) { first, _ in first }, value: object["payload"] as? String ?? "")
    }
}
