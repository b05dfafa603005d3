/// Finds what no YAML file may hold (bytes that are not UTF-8, control characters) before libyaml sees it, so that
/// each is reported where it stands.
enum TextCheck {
    private static let reported = 20

    /// - Parameter bytes: the file without a byte order mark.
    static func check(_ bytes: ArraySlice<UInt8>, file: String, _ diagnostics: inout Diagnostics) {
        var location = SourceLocation(file: file)
        var found = 0
        var previous: Unicode.Scalar = " "
        var decoder = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        func report(_ message: String) {
            diagnostics.error(at: location, message)
            found += 1
        }
        while found < reported {
            switch decoder.parseScalar(from: &iterator) {
            case .emptyInput:
                return
            case .error:
                report("not UTF-8 text; save the file as UTF-8")
                location.column += 1
                previous = " "
            case .valid(let encoded):
                let scalar = Unicode.UTF8.decode(encoded)
                if !isAllowed(scalar) {
                    let code = String(scalar.value, radix: 16, uppercase: true)
                    report(
                        "a control character (U+\(code)) cannot stand here; remove it, or write it as \"\\x\(code)\"")
                }
                if scalar == "\n", previous == "\r" {
                    // The second half of one line break.
                } else if SourceExcerpts.isBreak(scalar) {
                    location.line += 1
                    location.column = 1
                } else {
                    location.column += 1
                }
                previous = scalar
            }
        }
    }

    /// The printable characters of YAML 1.1, section 4.1.1.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF:
            true
        default: false
        }
    }
}
