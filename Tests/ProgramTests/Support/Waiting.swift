import TestSupport

/// How long anything may take before it is taken for hanging: far longer than it ever does, for busy machines.
let patience = Duration.seconds(120)

/// Asks again and again until it holds; false when it still does not at the deadline. For questions that take a command
/// or a request; `poll` is for those that take none.
func eventually(_ deadline: Duration = patience, _ holds: () async throws -> Bool) async throws -> Bool {
    let last = ContinuousClock.now + deadline
    while true {
        if try await holds() { return true }
        guard ContinuousClock.now < last else { return false }
        try await Task.sleep(for: .milliseconds(50))
    }
}
