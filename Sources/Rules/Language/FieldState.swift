/// What can be asked of a field without looking at its value; any number of these at once.
struct Situations: OptionSet, Hashable, Sendable {
    let rawValue: UInt8

    /// No such key.
    static let absent = Situations(rawValue: 1)
    static let null = Situations(rawValue: 2)
    /// `""`, `[]` or `{}`.
    static let empty = Situations(rawValue: 4)
    /// A text of nothing but white space.
    static let white = Situations(rawValue: 8)
    static let other = Situations(rawValue: 16)

    static let all: Situations = [.absent, .null, .empty, .white, .other]
}

/// The argument of `is:`.
enum FieldState: String, CaseIterable, Sendable {
    case present
    case absent
    case null
    case empty
    case blank

    /// The situations in which it holds.
    var situations: Situations {
        switch self {
        case .present: [.empty, .white, .other]
        case .absent: .absent
        case .null: .null
        case .empty: .empty
        case .blank: [.absent, .null, .empty, .white]
        }
    }
}
