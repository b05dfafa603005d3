internal import Glibc
internal import Synchronization

/// A thread that runs one function to its end.
final class EngineThread: Sendable {
    private final class Body: Sendable {
        private let name: String
        private let run: @Sendable () -> Void

        init(_ name: String, _ run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }

        func callAsFunction() {
            // The name that the system's tools show; at most 15 bytes.
            if let file = unsafe fopen("/proc/thread-self/comm", "we") {
                _ = unsafe fputs(name, file)
                unsafe fclose(file)
            }
            run()
        }
    }

    private let handle: Mutex<pthread_t?>

    init(name: String, _ run: @escaping @Sendable () -> Void) throws(DeliveryStoreError) {
        var thread = pthread_t()
        // Released by the thread itself, or below when there is none.
        let body = unsafe Unmanaged.passRetained(Body(name, run))
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()()
                return nil
            }, body.toOpaque())
        guard code == 0 else {
            unsafe body.release()
            throw DeliveryStoreError(
                "the delivery thread could not be started: \(unsafe String(cString: strerror(code)))")
        }
        handle = Mutex(thread)
    }

    /// Waits for its end. A second call returns at once.
    func join() {
        let thread = handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
        if let thread { pthread_join(thread, nil) }
    }
}
