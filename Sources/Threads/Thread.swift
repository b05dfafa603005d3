internal import Glibc
internal import Synchronization

/// A thread of its own, for what blocks or owns a C library's loop: neither is for Swift's cooperative pool. All signals are
/// blocked in it; they are for the main thread.
package final class Thread: Sendable {
    /// Nil once it was joined.
    private let handle: Mutex<pthread_t?>

    /// Starts the thread.
    /// - Parameters:
    ///   - name: shown by the system's tools; Linux keeps its first 15 bytes.
    ///   - stackSize: in bytes; nil: the system's own.
    /// - Throws: when the system gives none.
    package init(
        name: String, stackSize: Int? = nil, _ body: sending @escaping () -> Void
    ) throws(ThreadError) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        if let stackSize { unsafe pthread_attr_setstacksize(&attributes, stackSize) }
        // Released by the thread itself, or below when there is none.
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        // Inherited, so that there is no moment at which a signal could come to the thread.
        let status = withAllSignalsBlocked {
            unsafe pthread_create(
                &thread, &attributes,
                { context in
                    guard let context = unsafe context else { return nil }
                    unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue().run()
                    return nil
                }, start.toOpaque())
        }
        guard status == 0 else {
            unsafe start.release()
            throw ThreadError(name: name, systemError: status)
        }
        handle = Mutex(thread)
    }

    /// Starts a thread without which nothing can go on: the process ends where the system gives none.
    package static func indispensable(name: String, _ body: sending @escaping () -> Void) -> Thread {
        do throws(ThreadError) {
            return try Thread(name: name, body)
        } catch {
            fatalError("\(error)")
        }
    }

    deinit {
        if let thread = takeHandle() { pthread_detach(thread) }
    }

    /// Waits for its end. A second call, or one on the thread itself, returns at once.
    package func join() {
        guard let thread = takeHandle() else { return }
        if pthread_equal(thread, pthread_self()) != 0 {
            pthread_detach(thread)
        } else {
            pthread_join(thread, nil)
        }
    }

    private func takeHandle() -> pthread_t? {
        handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
    }
}

/// The system gave no thread.
package struct ThreadError: Error, Sendable, CustomStringConvertible {
    package let name: String
    /// `errno` of pthread_create.
    package let systemError: Int32

    package var description: String {
        "the thread \(name) could not be started: \(unsafe String(cString: strerror(systemError)))"
    }
}

/// What a thread runs, handed through the C library.
private final class Start {
    private let name: String
    private let body: () -> Void

    init(name: String, body: @escaping () -> Void) {
        self.name = name
        self.body = body
    }

    func run() {
        showName()
        body()
    }

    /// The call that names a thread is an extension of the C library's that Swift does not see; the file does the same.
    private func showName() {
        guard let file = unsafe fopen("/proc/thread-self/comm", "we") else { return }
        _ = unsafe fputs(name, file)
        unsafe fclose(file)
    }
}

/// Threads that C libraries start in `body` get no signal either.
package func withAllSignalsBlocked<Result>(_ body: () -> Result) -> Result {
    var all = sigset_t()
    var previous = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &previous)
    defer { _ = unsafe pthread_sigmask(SIG_SETMASK, &previous, nil) }
    return body()
}
