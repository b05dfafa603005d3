internal import Threads

extension KafkaFailure {
    /// Starts the thread of a client, which ends by itself.
    static func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) throws(KafkaFailure) {
        do throws(ThreadError) {
            _ = try Thread(name: name, body)
        } catch {
            throw KafkaFailure(code: "resources", message: "\(error)")
        }
    }
}
