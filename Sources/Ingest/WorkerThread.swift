internal import Dispatch
internal import Glibc
internal import Synchronization

/// A thread that works off a bounded queue. Offering never blocks: beyond the bound it says no.
final class WorkerThread<Job: Sendable>: Sendable {
    private struct State {
        var jobs: [Job] = []
        var isStopping = false
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let wake = DispatchSemaphore(value: 0)
    private let finished = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - capacity: jobs that may wait.
    ///   - makeWork: called once on the new thread; what it returns handles each bundle of jobs, oldest first.
    init(
        name: String, capacity: Int, makeWork: @escaping @Sendable () -> (_ jobs: [Job]) -> Void
    ) {
        self.capacity = capacity
        startThread(name: name) { [self] in
            let work = makeWork()
            while let jobs = next() { work(jobs) }
            finished.signal()
        }
    }

    func offer(_ job: Job) -> Bool {
        let waiting = state.withLock { state -> Int? in
            guard !state.isStopping, state.jobs.count < capacity else { return nil }
            state.jobs.append(job)
            return state.jobs.count
        }
        if waiting == 1 { wake.signal() }
        return waiting != nil
    }

    /// Finishes what is queued and ends the thread.
    func stop() {
        let wasStopping = state.withLock { state in
            defer { state.isStopping = true }
            return state.isStopping
        }
        guard !wasStopping else { return }
        wake.signal()
        finished.wait()
    }

    private func next() -> [Job]? {
        while true {
            let (jobs, isStopping) = state.withLock { state in
                defer { state.jobs = [] }
                return (state.jobs, state.isStopping)
            }
            if !jobs.isEmpty { return jobs }
            if isStopping { return nil }
            wake.wait()
        }
    }
}

/// Starts a detached thread. The name shows in `top` and `perf`; Linux keeps 15 characters of it.
func startThread(name: String, _ body: @escaping @Sendable () -> Void) {
    final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
    var thread = pthread_t()
    // The box is retained for the C call and taken over by the thread.
    let context = unsafe Unmanaged.passRetained(Start(name: name, body: body)).toOpaque()
    let status = unsafe pthread_create(
        &thread, nil,
        { context in
            let start = unsafe Unmanaged<Start>.fromOpaque(context!).takeRetainedValue()
            nameThread(start.name)
            start.body()
            return nil
        }, context)
    precondition(status == 0, "no thread could be started: \(status)")
    _ = pthread_detach(thread)
}

/// The call that names a thread is an extension of the C library's that Swift does not see; the file does the same.
private func nameThread(_ name: String) {
    let file = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    let bytes = Array(name.utf8.prefix(15))
    _ = unsafe bytes.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
    close(file)
}
