internal import Dispatch
internal import EventLog
internal import Synchronization
internal import Threads

/// A few threads of their own for what people wait for: nothing else ever stands in their queue, and one piece of work that
/// takes long holds up nobody while another thread is free.
final class DecisionLane<Job: Sendable>: Sendable {
    private struct State {
        var jobs = FirstInFirstOut<Job>()
        var waiting = 0
        var isStopping = false
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let wake = DispatchSemaphore(value: 0)
    private let threads: Mutex<[Thread]>

    /// - Parameters:
    ///   - capacity: jobs that may wait.
    ///   - makeWork: called once on each thread; what it returns handles one job after another.
    init(threads count: Int, capacity: Int, makeWork: @escaping @Sendable (DecisionLane) -> (Job) -> Void) {
        self.capacity = capacity
        threads = Mutex([])
        for _ in 0..<count {
            let started = Thread.indispensable(name: "decisions") { [self] in
                let work = makeWork(self)
                while let job = take() { work(job) }
            }
            threads.withLock { $0.append(started) }
        }
    }

    /// - Parameter isGoingOn: it was taken on before, and is not refused.
    /// - Returns: whether it was taken.
    func offer(_ job: Job, isGoingOn: Bool = false) -> Bool {
        let isTaken = state.withLock { state in
            guard isGoingOn || (!state.isStopping && state.waiting < capacity) else { return false }
            state.jobs.append(job)
            state.waiting += 1
            return true
        }
        if isTaken { wake.signal() }
        return isTaken
    }

    /// Finishes what waits and ends the threads.
    func stop() {
        state.withLock { $0.isStopping = true }
        let threads = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for _ in threads { wake.signal() }
        for thread in threads { thread.join() }
    }

    private func take() -> Job? {
        while true {
            let (job, isStopping) = state.withLock { state in
                let job = state.jobs.removeFirst()
                if job != nil { state.waiting -= 1 }
                return (job, state.isStopping)
            }
            if let job { return job }
            if isStopping { return nil }
            wake.wait()
        }
    }
}
