internal import Configuration
internal import Dispatch
internal import EventLog
internal import Events
internal import JSON
internal import Logging
internal import Rules
internal import Synchronization
internal import YAML

/// Reads the log at leisure, beside intake and delivery, and notes the names of `personal` and `additional` that events
/// had. When events come faster than it reads it skips some: the next ones have the same names.
final class KeyCollector: Sendable {
    private struct State: ~Copyable {
        var keys: SeenKeys
        var isChanged = false
        var isStopped = false
        var writeFailed = false
        let parser = JSONParser()
    }

    private let log: any EventLog
    private let file: String
    private let logger: Logger
    private let queue = DispatchQueue(label: "seen-keys", qos: .utility)
    private let state: Mutex<State>

    /// Of one turn; there is one a second.
    private static let records = 256
    private static let bytes = 1 << 20
    /// Further behind than this it goes on at the end of the log.
    private static let mostBehind: Int64 = 20_000

    init(log: any EventLog, dataFolder: String, logger: Logger) {
        self.log = log
        self.logger = logger
        file = SeenKeysFile.path(in: dataFolder)
        state = Mutex(State(keys: SeenKeysFile.read(in: dataFolder) ?? SeenKeys()))
    }

    func start() {
        queue.async { [self] in state.withLock { write(&$0) } }
        schedule()
    }

    /// Writes down what is new. Nothing is read any more.
    func stop() {
        queue.sync {
            state.withLock { state in
                state.isStopped = true
                write(&state)
            }
        }
    }

    /// As they are known now.
    var keys: SeenKeys { state.withLock { $0.keys } }

    private func schedule() {
        queue.asyncAfter(deadline: .now() + .seconds(1)) { [weak self] in
            guard let self, self.turn() else { return }
            self.schedule()
        }
    }

    /// - Returns: whether there is to be another one.
    private func turn() -> Bool {
        state.withLock { state in
            guard !state.isStopped else { return false }
            read(&state)
            if state.isChanged { write(&state) }
            return !state.keys.isFull
        }
    }

    private func read(_ state: inout State) {
        let head = log.head
        var position = state.keys.position.flatMap { LogPosition($0) } ?? log.beginning
        if position.offsets.count != head.offsets.count || log.count(from: position, to: head) > Self.mostBehind {
            position = head
        }
        guard position != head else { return }
        do throws(LogFailure) {
            let batch = try log.read(from: position, maximumRecords: Self.records, maximumBytes: Self.bytes)
            for record in batch.records where !record.isSystem && !record.isErased {
                guard let event = try? EventView(parsing: record.payload, with: state.parser) else { continue }
                if state.keys.note(event) { state.isChanged = true }
            }
            position = batch.next
        } catch {
            // What the log cannot give is told by those who need it.
            position = head
        }
        state.keys.position = position.description
    }

    private func write(_ state: inout State) {
        do throws(FileWritingError) {
            try PrivateFile.replace(file, with: state.keys.json)
            state.isChanged = false
            state.writeFailed = false
        } catch {
            if !state.writeFailed {
                logger.warning(
                    "seen_keys_not_written", "The names of fields that were seen could not be kept: \(error)")
            }
            state.writeFailed = true
        }
    }
}

/// The names that were seen, as an instance keeps them.
enum SeenKeysFile {
    private static let mostBytes = 16 << 20

    static func path(in dataFolder: String) -> String { dataFolder + "/seen-keys.json" }

    /// Nil where no instance has kept any.
    static func read(in dataFolder: String) -> SeenKeys? {
        (try? readFile(path(in: dataFolder), maximumBytes: mostBytes)).flatMap(SeenKeys.init(json:))
    }
}
