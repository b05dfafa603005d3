import TestSupport

/// What must not be of any visit, whatever goes wrong meanwhile.
func doorProblems(
    _ visits: [DoorVisit], expected: Int, mayBeIn: (_ number: Int) -> Bool
) -> [String] {
    var problems: [String] = []
    if visits.count != expected { problems.append("\(expected - visits.count) of \(expected) visits never ended") }
    for (number, visit) in visits.enumerated() {
        if visit.isLate {
            problems.append("\(number) is late")
        } else if !visit.isAnswered {
            problems.append("\(number) is not answered: \(visit)")
        } else if visit.outcome.mayBeIn, !mayBeIn(number) {
            problems.append("\(number) is let in: \(visit)")
        }
    }
    return Array(problems.prefix(10))
}
