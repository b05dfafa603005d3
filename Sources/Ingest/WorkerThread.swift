internal import Dispatch
internal import Synchronization
internal import Threads

/// A thread that works off a bounded queue. Offering never blocks: beyond the bound it says no.
final class WorkerThread<Job: Sendable>: Sendable {
    private struct State {
        var jobs: [Job] = []
        var isStopping = false
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let wake = DispatchSemaphore(value: 0)
    private let thread = Mutex<Thread?>(nil)

    /// - Parameters:
    ///   - capacity: jobs that may wait.
    ///   - makeWork: called once on the new thread; what it returns handles each bundle of jobs, oldest first.
    init(
        name: String, capacity: Int, makeWork: @escaping @Sendable () -> (_ jobs: [Job]) -> Void
    ) {
        self.capacity = capacity
        let started = Thread.indispensable(name: name) { [self] in
            let work = makeWork()
            while let jobs = next() { work(jobs) }
        }
        thread.withLock { $0 = started }
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
        state.withLock { $0.isStopping = true }
        wake.signal()
        thread.withLock { $0.take() }?.join()
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
