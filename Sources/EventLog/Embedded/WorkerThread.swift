internal import Glibc

/// A thread of the log's own: SQLite's calls block, and the cooperative pool is not for that.
@safe package final class WorkerThread: @unchecked Sendable {  // `handle` never changes.
    private let handle: pthread_t

    private final class Body {
        let name: String
        let run: () -> Void

        init(name: String, _ run: @escaping () -> Void) {
            self.name = name
            self.run = run
        }

        func callAsFunction() {
            if let file = unsafe fopen("/proc/thread-self/comm", "we") {
                _ = unsafe fputs(name, file)
                unsafe fclose(file)
            }
            run()
        }
    }

    /// - Parameter name: at most 15 bytes are shown by the system's tools.
    package init(name: String, _ run: sending @escaping () -> Void) {
        var thread = pthread_t()
        let body = unsafe Unmanaged.passRetained(Body(name: name, run)).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                unsafe Unmanaged<Body>.fromOpaque(context!).takeRetainedValue()()
                return nil
            }, body)
        precondition(code == 0, "no thread could be started for the log")
        handle = thread
    }

    /// Waits for its end. Once only, and not from the thread itself.
    package func join() {
        pthread_join(handle, nil)
    }
}
