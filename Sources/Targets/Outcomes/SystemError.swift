import Glibc

/// What the system says of an error number: "No such file or directory".
func systemMessage(_ number: Int32) -> String {
    var text = [CChar](repeating: 0, count: 256)
    guard unsafe strerror_r(number, &text, text.count) == 0 else { return "error \(number)" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A file descriptor, closed with the last use of it.
final class OwnedDescriptor: Sendable {
    let raw: Int32

    /// Nil, with `errno` set, for a negative one: the result of a call that failed.
    init?(_ raw: Int32) {
        guard raw >= 0 else { return nil }
        self.raw = raw
    }

    deinit {
        close(raw)
    }
}
