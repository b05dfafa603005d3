import Delivery

/// A replay somebody asked for.
struct SimulatedReplay {
    let number: Int64
    let receiver: SimulatedReceiver
    let request: ReplayRequest
    let askedAt: Int64
    /// Somebody called it off, or tried to.
    var isCancelled = false
}
