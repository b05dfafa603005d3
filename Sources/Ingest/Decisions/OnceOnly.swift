internal import Synchronization

/// Takes the first of several values; those that come later are dropped.
final class OnceOnly<Value: Sendable>: Sendable {
    private let action: Mutex<(@Sendable (Value) -> Void)?>

    init(_ action: @escaping @Sendable (Value) -> Void) {
        self.action = Mutex(action)
    }

    func take(_ value: Value) {
        let action = action.withLock { $0.take() }
        action?(value)
    }
}
