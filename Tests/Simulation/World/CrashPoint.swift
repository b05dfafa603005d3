/// Where the one crash of a sweep's run comes.
package struct CrashPoint: Sendable, Hashable {
    package enum Place: Sendable, Hashable {
        /// A write, a sync or another change of the disk; counts from 1.
        case change(Int, isDone: Bool)
        /// A request or an answer at the program's border; counts from 1.
        case action(Int)
    }

    package var place: Place
    package var losesPower: Bool

    static func all(changes: Int, actions: Int) -> [CrashPoint] {
        var points: [CrashPoint] = []
        for losesPower in [false, true] {
            for number in stride(from: 1, through: changes, by: 1) {
                for isDone in [false, true] {
                    points.append(CrashPoint(place: .change(number, isDone: isDone), losesPower: losesPower))
                }
            }
            for number in stride(from: 1, through: actions, by: 1) {
                points.append(CrashPoint(place: .action(number), losesPower: losesPower))
            }
        }
        return points
    }
}
