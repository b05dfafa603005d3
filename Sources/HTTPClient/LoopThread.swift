import Glibc
import Synchronization

/// A thread of our own, for what blocks or owns a C handle. All signals are blocked on it: SIGPIPE would end the process,
/// and the others belong to the main thread.
final class LoopThread: Sendable {
    private let identity: Mutex<pthread_t?>

    init(_ body: @escaping @Sendable () -> Void) {
        guard let thread = startThread(stackSize: 1 << 20, isDetached: false, body) else {
            fatalError("the system gives no thread")
        }
        identity = Mutex(thread)
    }

    /// Waits for the thread's end. Called on the thread itself, or a second time, it does not wait.
    func join() {
        guard let thread = identity.withLock({ $0.take() }) else { return }
        if pthread_equal(thread, pthread_self()) != 0 {
            pthread_detach(thread)
        } else {
            pthread_join(thread, nil)
        }
    }
}

/// What a new thread is handed: retained until the thread has taken it.
private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

/// Starts a thread; nil when the system gives none.
@discardableResult
func startThread(
    stackSize: Int, isDetached: Bool, _ body: @escaping @Sendable () -> Void
) -> pthread_t? {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setstacksize(&attributes, stackSize)
    if isDetached { unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED)) }
    let context = unsafe Unmanaged.passRetained(ThreadBody(run: body))
    var thread = pthread_t()
    let status = unsafe pthread_create(
        &thread, &attributes,
        { context in
            guard let context = unsafe context else { return nil }
            let body = unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue()
            var signals = sigset_t()
            unsafe sigfillset(&signals)
            unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
            body.run()
            return nil
        }, context.toOpaque())
    guard status == 0 else {
        unsafe context.release()
        return nil
    }
    return thread
}
