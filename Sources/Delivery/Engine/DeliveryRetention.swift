/// How long things are kept, in milliseconds.
package struct DeliveryRetention: Sendable, Hashable {
    /// An event unfinished for so long becomes a dead letter of that target. Nil: never.
    package var ageMs: Int64?
    /// Of delivery history.
    package var historyMs: Int64 = 3 * 86_400_000
    /// Of dead letters' texts.
    package var deadLettersMs: Int64 = 90 * 86_400_000

    package init() {}

    package init(age: Duration?, history: Duration, deadLetters: Duration) {
        ageMs = age?.milliseconds
        historyMs = history.milliseconds
        deadLettersMs = deadLetters.milliseconds
    }
}
