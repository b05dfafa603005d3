/// Asks again and again until `condition` holds; false when `deadline` has passed first.
package func poll(
    deadline: Duration = .seconds(10), every interval: Duration = .milliseconds(5), until condition: () -> Bool
) async -> Bool {
    let end = ContinuousClock.now + deadline
    while !condition() {
        guard ContinuousClock.now < end else { return condition() }
        try? await Task.sleep(for: interval)
    }
    return true
}
