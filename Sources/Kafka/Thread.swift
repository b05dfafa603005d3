internal import Glibc

/// Starts a detached thread; false when the system gives none.
func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    final class Start: Sendable {
        let body: @Sendable () -> Void
        init(body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    // Retained for the C call and taken over by the thread.
    let context = unsafe Unmanaged.passRetained(Start(body: body))
    let status = unsafe pthread_create(
        &thread, nil,
        { context in
            let start = unsafe Unmanaged<Start>.fromOpaque(context!).takeRetainedValue()
            var signals = sigset_t()
            unsafe sigfillset(&signals)
            unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
            start.body()
            return nil
        }, context.toOpaque())
    guard status == 0 else {
        unsafe context.release()
        return false
    }
    pthread_detach(thread)
    return true
}
