/// What the headers of one request say about its signature, before anything is believed.
struct ReceivedSignature {
    struct Candidate {
        /// The prefix it stood behind.
        var prefix: String
        /// Still encoded.
        var text: ArraySlice<UInt8>
    }

    static let maximumHeaderBytes = 8192
    static let maximumSignatures = 16
    /// A number of milliseconds has 13 digits for the next two centuries.
    static let maximumTimestampDigits = 16

    var candidates: [Candidate] = []
    /// As received.
    var timestamp: ArraySlice<UInt8>?

    init(_ value: String, _ scheme: SignatureScheme) throws(SignatureFailure) {
        guard value.utf8.count <= Self.maximumHeaderBytes else {
            throw SignatureFailure(
                .signatureMalformed, "\(scheme.header) is longer than \(Self.maximumHeaderBytes) bytes")
        }
        let bytes = Array(value.utf8)
        switch scheme.layout {
        case .whole:
            take(bytes[...], scheme)
        case .parts(let separators, _):
            try takeParts(bytes, separators, scheme)
        case .positional(let separator, let timestampFirst):
            let parts = bytes.split(separator: separator, maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw SignatureFailure(.signatureMalformed, "\(scheme.header) does not have its two parts")
            }
            timestamp = parts[timestampFirst ? 0 : 1]
            take(parts[timestampFirst ? 1 : 0], scheme)
        }
        guard !candidates.isEmpty else {
            throw SignatureFailure(
                .signatureMalformed, "\(scheme.header) has no signature in the form of \(scheme.name)")
        }
    }

    private mutating func takeParts(
        _ bytes: [UInt8], _ separators: [UInt8], _ scheme: SignatureScheme
    ) throws(SignatureFailure) {
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex { separators.contains($0) } ?? bytes.count
            let part = Self.trimmed(bytes[start..<end])
            if !part.isEmpty { try takePart(part, scheme) }
            start = end + 1
        }
    }

    private mutating func takePart(_ part: ArraySlice<UInt8>, _ scheme: SignatureScheme) throws(SignatureFailure) {
        if case .part(let prefix) = scheme.timestamp?.place, part.starts(with: prefix.utf8) {
            guard timestamp == nil else {
                throw SignatureFailure(.signatureRepeated, "\(scheme.header) has two timestamps")
            }
            timestamp = part.dropFirst(prefix.utf8.count)
        } else {
            take(part, scheme)
        }
    }

    private mutating func take(_ part: ArraySlice<UInt8>, _ scheme: SignatureScheme) {
        guard candidates.count < Self.maximumSignatures else { return }
        for variant in scheme.variants where part.starts(with: variant.signaturePrefix.utf8) {
            let text = part.dropFirst(variant.signaturePrefix.utf8.count)
            candidates.append(Candidate(prefix: variant.signaturePrefix, text: text))
            return
        }
    }

    private static func trimmed(_ part: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var part = part.drop(while: isSpace)
        while let last = part.last, isSpace(last) { part.removeLast() }
        return part
    }

    /// The timestamp as a number of its unit: decimal digits and nothing else.
    static func number(_ timestamp: String) throws(SignatureFailure) -> Int64 {
        let digits = timestamp.utf8
        guard (1...maximumTimestampDigits).contains(digits.count),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let value = Int64(timestamp)
        else {
            throw SignatureFailure(.timestampMalformed, "the timestamp is not a whole number")
        }
        return value
    }
}
