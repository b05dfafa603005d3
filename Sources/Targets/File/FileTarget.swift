import Dispatch
import Events
import HTTPClient
import Logging
import Synchronization
package import YAML

/// `file`: one line an event, with rotation.
package struct FileTargetType: TargetType {
    package let name = "file"

    package init() {}

    package func decode(
        _ reader: inout MappingReader, _ settings: TargetSettings, _ diagnostics: inout Diagnostics
    ) -> (any TargetBlueprint)? {
        if let node = reader["tls"] ?? reader["allow"] {
            diagnostics.error(at: node.location, "a file is on no network: `tls:` and `allow:` have no meaning here")
        }
        let format =
            reader.optional("format").flatMap { Formats.read($0, original: settings.sendsOriginal, &diagnostics) }
            ?? JSONFormat()
        let rotation = reader.optional("rotate").map { FileRotation($0, &diagnostics) } ?? FileRotation()
        guard let pathNode = reader.required("path", &diagnostics), let path = pathNode.path(&diagnostics) else {
            return nil
        }
        guard !path.utf8.contains(0), !path.hasSuffix("/") else {
            diagnostics.error(at: pathNode.location, "`path:` must be that of a file")
            return nil
        }
        return FileBlueprint(
            settings: settings, path: path,
            destination: pathNode.scalar?.reference.map(displayable) ?? displayable(path),
            format: format, rotation: rotation)
    }
}

extension FileRotation {
    fileprivate init(_ node: YAMLNode, _ diagnostics: inout Diagnostics) {
        self.init()
        guard var reader = MappingReader(node, "rotate", &diagnostics) else { return }
        if let sizeNode = reader.optional("size"), let size = sizeNode.size(&diagnostics) {
            if size < 1024 { diagnostics.error(at: sizeNode.location, "a file is rotated at 1KiB at the least") }
            self.size = size
        }
        every = reader.optional("every")?.duration(in: .seconds(60) ... .seconds(366 * 86_400), &diagnostics)
        keep = reader.optional("keep")?.integer(in: 1...10_000, &diagnostics)
        if reader["size"] == nil, reader["every"] == nil {
            diagnostics.error(at: node.location, "`rotate:` needs `size:`, `every:` or both")
        }
        reader.finish(&diagnostics)
    }
}

extension TargetBlueprint {
    /// The file it writes; nil for a target that writes none.
    package var file: String? { (unwrapped as? FileBlueprint)?.path }
}

struct FileBlueprint: TargetBlueprint {
    let settings: TargetSettings
    let path: String
    let destination: String
    let format: any EventFormat
    let rotation: FileRotation

    func make(_ context: TargetContext) throws -> any Target {
        do throws(FileFailure) {
            try RotatingFile.check(path)
        } catch {
            throw TargetError("target \(settings.name): \(error.message)")
        }
        return FileTarget(self, context)
    }
}

/// Many events share one write and one fsync; each is confirmed only after it.
final class FileTarget: Target {
    private struct Line: Sendable {
        var bytes: [UInt8]
        var started: ContinuousClock.Instant
        var completion: @Sendable (DeliveryOutcome) -> Void

        func end(_ outcome: DeliveryOutcome, _ version: TargetVersion?) {
            completion(outcome.carrying(Exchange(bytes, version: version, isKept: !outcome.isDelivered)))
        }
    }

    private struct State {
        var lines: [Line] = []
        var size = 0
        var isClosed = false
        /// A job that empties `lines` is under way or about to be.
        var isDraining = false
    }

    private static let maximumSize = 64 << 20
    private static let maximumLines = 65_536

    private var version: TargetVersion? { blueprint.settings.version }

    private let blueprint: FileBlueprint
    private let context: TargetContext
    private let options: RenderingOptions
    private let state = Mutex(State())
    /// The disk may block for long: this queue's thread is the one that waits for it.
    private let queue: DispatchQueue
    /// Only the queue's jobs take this lock.
    private let file: Mutex<RotatingFile>

    init(_ blueprint: FileBlueprint, _ context: TargetContext) {
        self.blueprint = blueprint
        self.context = context
        options = RenderingOptions(policy: ContentPolicy(blueprint.settings), hostname: context.hostname)
        queue = DispatchQueue(label: "file target \(blueprint.settings.name)")
        file = Mutex(
            RotatingFile(path: blueprint.path, rotation: blueprint.rotation, lineOpening: blueprint.format.lineOpening))
    }

    func send(_ outgoing: OutgoingEvent, completion: @escaping @Sendable (DeliveryOutcome) -> Void) {
        let started = ContinuousClock.now
        var bytes: [UInt8]
        do throws(RenderingError) {
            bytes = try blueprint.format.render(outgoing, options)
        } catch {
            return completion(.failed(FailureClassification.failure(error)))
        }
        bytes.append(UInt8(ascii: "\n"))
        outgoing.test?.sends(TargetRendition(.bytes(bytes), of: blueprint, showsSignature: false))
        let line = Line(bytes: bytes, started: started, completion: completion)
        let refusal = state.withLock { state -> DeliveryFailure? in
            guard !state.isClosed else { return FailureClassification.closed }
            guard state.lines.count < Self.maximumLines,
                state.size + line.bytes.count <= Self.maximumSize || state.size == 0
            else { return Self.busy }
            state.lines.append(line)
            state.size += line.bytes.count
            schedule(&state)
            return nil
        }
        if let refusal { line.end(.failed(refusal), version) }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            schedule(&state)
        }
    }

    private static let busy = DeliveryFailure(
        code: "target_busy", message: "more is waiting to be written than fits in memory", blame: .target)

    private func schedule(_ state: inout State) {
        guard !state.isDraining else { return }
        state.isDraining = true
        queue.async { [self] in drain() }
    }

    private func drain() {
        while true {
            let lines = state.withLock { state -> [Line]? in
                guard !state.lines.isEmpty else {
                    state.isDraining = false
                    if state.isClosed { file.withLock { $0.close() } }
                    return nil
                }
                defer {
                    state.lines = []
                    state.size = 0
                }
                return state.lines
            }
            guard let lines else { return }
            write(lines)
        }
    }

    private func write(_ lines: [Line]) {
        let result = file.withLock { file -> (written: Int, failure: FileFailure?, notes: [FileNote]) in
            let (written, failure) = file.append(lines.map(\.bytes), now: context.now())
            return (written, failure, file.takeNotes())
        }
        for note in result.notes { log(note) }
        for (position, line) in lines.enumerated() {
            let duration = line.started.duration(to: .now)
            if position < result.written {
                line.end(.delivered(DeliveryReceipt(duration: duration, bytes: line.bytes.count)), version)
            } else if let failure = result.failure {
                line.end(
                    .failed(
                        DeliveryFailure(
                            code: failure.code, message: failure.message, blame: .target, duration: duration)), version)
            }
        }
    }

    private func log(_ note: FileNote) {
        let name = LogValue(blueprint.settings.name)
        switch note {
        case .removedTornLine(let bytes):
            context.logger.warning(
                "file_torn_line_removed",
                "The file ended in half a line, as a crash leaves it; that half was removed, and its event is written again.",
                ["target": name, "bytes": LogValue(bytes)])
        case .completedForeignLine:
            context.logger.warning(
                "file_line_completed", "The file ended without a line feed; one was added.", ["target": name])
        case .rotated(let to):
            context.logger.info("file_rotated", "The file was rotated.", ["target": name, "to": .string(to)])
        case .rotationFailed(let message):
            context.logger.warning(
                "file_rotation_failed", "The file could not be rotated; writing goes on in it: \(message)",
                ["target": name])
        }
    }
}
