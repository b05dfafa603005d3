internal import SQLite

/// When the write-ahead log is copied back: often enough to stay small, seldom enough that a page written many times is
/// copied once.
struct CheckpointSchedule {
    /// 2 MiB of frames: what is copied back is still in the processor's caches, and no commit waits long for it.
    static let passiveFrames = (2 << 20) / LogFile.pageSize
    /// 64 MiB: readers pause until the log begins again.
    static let restartFrames = (64 << 20) / LogFile.pageSize

    private let passiveFrames: Int
    private let restartFrames: Int
    private var copiedFrames = 0
    private var commitsToSkip = 0

    init(passiveFrames: Int = Self.passiveFrames, restartFrames: Int = Self.restartFrames) {
        self.passiveFrames = passiveFrames
        self.restartFrames = restartFrames
    }

    init(_ options: EventLogOptions) {
        self.init(passiveFrames: options.checkpointFrames, restartFrames: options.restartFrames)
    }

    mutating func due(frames: Int) -> Database.CheckpointMode? {
        if frames < copiedFrames { copiedFrames = 0 }
        if commitsToSkip > 0 {
            commitsToSkip -= 1
            return nil
        }
        if frames >= restartFrames { return .restart }
        return frames - copiedFrames >= passiveFrames ? .passive : nil
    }

    func isDueWhenIdle(frames: Int) -> Bool { frames > copiedFrames && commitsToSkip == 0 }

    mutating func didRun(_ mode: Database.CheckpointMode, frames: Int, copied: Int) {
        switch mode {
        case .passive: copiedFrames = max(0, copied)
        case .restart, .truncate:
            // Another connection in the way: try again a little later, not at every commit.
            if frames < 0 { commitsToSkip = 64 }
            copiedFrames = max(0, copied)
        }
    }

    mutating func didFail() { commitsToSkip = 64 }
}
