package import Events

/// Values that take the place of a sample's, of the same shape: digits stay digits, letters stay letters, and a UUID
/// stays a UUID. The same seed and sequence give the same values, so that a sender's retry sends the same event.
package struct FreshValues: Sendable {
    private let seed: UInt64

    package init(seed: UInt64) {
        self.seed = seed
    }

    /// - Parameters:
    ///   - sample: what the sample has there.
    ///   - sequence: which event of this sender, from 0.
    ///   - place: which of its ids.
    package func identifier(like sample: String, sequence: Int, place: Int) -> String {
        var generator = SplitMix(
            state: seed &+ UInt64(truncatingIfNeeded: sequence) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(place) << 56)
        if sample.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return String(1_000_000_000 + generator.next() % 8_000_000_000_000)
        }
        var result = ""
        for character in sample.unicodeScalars {
            let random = generator.next()
            let isHex = sample.utf8.count == 36 && sample.utf8.filter { $0 == UInt8(ascii: "-") }.count == 4
            switch character {
            case "-", "_", ":", ".", "/": result.unicodeScalars.append(character)
            case _ where isHex: result += String(random % 16, radix: 16)
            case "0"..."9": result += String(random % 10)
            case "a"..."z": result.unicodeScalars.append(Unicode.Scalar(0x61 + UInt8(random % 26)))
            case "A"..."Z": result.unicodeScalars.append(Unicode.Scalar(0x41 + UInt8(random % 26)))
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    /// The moment in the sample's own form: with or without a fraction, `T` or a space, `Z`, ` UTC` or neither.
    package static func time(like sample: String, at moment: Timestamp) -> String {
        var text = moment.text
        if !sample.contains(".") { text = text.prefix(19) + "Z" }
        if sample.contains(" "), let place = text.firstIndex(of: "T") {
            text.replaceSubrange(place...place, with: " ")
        }
        if sample.hasSuffix(" UTC") { return text.dropLast() + " UTC" }
        return sample.hasSuffix("Z") ? text : String(text.dropLast())
    }
}

/// A small generator with a seed (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
