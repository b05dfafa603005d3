internal import Glibc

/// Waits on the main thread for the signals that steer a service.
struct SignalWaiter {
    enum Event {
        case stop, reload, nothing
    }

    private var set = sigset_t()

    /// Blocks the signals for every thread that starts from now on, so that only this one sees them.
    init() {
        unsafe sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&set, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    mutating func wait(milliseconds: Int) -> Event {
        var time = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        switch unsafe sigtimedwait(&set, nil, &time) {
        case SIGTERM, SIGINT: return .stop
        case SIGHUP: return .reload
        default: return .nothing
        }
    }
}
