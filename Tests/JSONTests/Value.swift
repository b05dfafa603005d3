import JSON

/// A JSON value as the tests compare it: numbers by their text, members in the text's order.
indirect enum Value: Equatable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([Value])
    case object([Member])

    struct Member: Equatable {
        var key: String
        var value: Value
    }
}

extension Value {
    init(_ tape: JSONTape, _ index: JSONIndex) {
        switch tape.kind(index) {
        case .null: self = .null
        case .boolTrue: self = .bool(true)
        case .boolFalse: self = .bool(false)
        case .integer, .decimal: self = .number(tape.text(index) ?? "")
        case .string: self = .string(tape.text(index) ?? "")
        case .array: self = .array(tape.elements(index).map { Value(tape, $0) })
        case .object:
            self = .object(
                tape.members(index).map { Member(key: tape.text($0.key) ?? "", value: Value(tape, $0.value)) })
        }
    }

    init(parsing text: [UInt8], with parser: JSONParser = JSONParser()) throws {
        let tape = try parser.parse(text)
        self.init(tape, tape.root)
    }

    func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let flag): writer.bool(flag)
        case .number(let text): writer.raw(Array(text.utf8))
        case .string(let text): writer.string(text)
        case .array(let elements):
            writer.beginArray()
            for element in elements { element.write(to: &writer) }
            writer.endArray()
        case .object(let members):
            writer.beginObject()
            for member in members {
                writer.key(member.key)
                member.value.write(to: &writer)
            }
            writer.endObject()
        }
    }

    var text: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }
}

/// A generator of random numbers that gives the same ones every time (SplitMix64).
struct Random: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension Value {
    static func random(depth: Int, _ random: inout Random) -> Value {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .number(randomNumber(&random))
        case 3, 4: return .string(randomString(&random))
        case 5:
            let count = Int.random(in: 0..<6, using: &random)
            return .array((0..<count).map { _ in Value.random(depth: depth - 1, &random) })
        default:
            var members: [Member] = []
            for position in 0..<Int.random(in: 0..<24, using: &random) {
                let key = randomString(&random) + "\(position)"
                members.append(Member(key: key, value: Value.random(depth: depth - 1, &random)))
            }
            return .object(members)
        }
    }

    private static func randomNumber(_ random: inout Random) -> String {
        let integer = Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0..<64, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return "\(integer).\(UInt16.random(in: 0...9999, using: &random))"
        case 1: return "\(integer)e\(Int.random(in: -200...200, using: &random))"
        default: return "\(integer)"
        }
    }

    private static func randomString(_ random: inout Random) -> String {
        let scalars: [Unicode.Scalar] = [
            "a", "Z", "0", " ", "\"", "\\", "/", "\n", "\r", "\t", "\u{0}", "\u{1B}", "\u{1F}", "\u{7F}", "{", "}", "[",
            "]", ",", ":", "é", "ß", "\u{2028}", "\u{FEFF}", "漢", "\u{202E}", "😀", "\u{10FFFF}", "<", "'",
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0..<20, using: &random) {
            text.unicodeScalars.append(scalars[Int.random(in: 0..<scalars.count, using: &random)])
        }
        return text
    }
}
