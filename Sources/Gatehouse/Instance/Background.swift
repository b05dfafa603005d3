internal import Dispatch

/// Runs something that blocks on a thread of its own.
func background(_ body: @escaping @Sendable () -> Void) {
    DispatchQueue.global().async(execute: body)
}
