/// How the other end proves who it is, and how we do. The chain and the name are verified always.
package struct TLSOptions: Sendable, Hashable {
    /// A PEM file of the authorities to trust instead of the system's.
    package var caFile: String?
    /// A PEM file with our certificate, and any intermediate ones after it.
    package var certFile: String?
    /// The PEM file with the key of `certFile`; nil when the key is in that file too.
    package var keyFile: String?
    /// What the peer's certificate must be, besides trusted: see `CertificatePin` for the forms.
    package var pinSHA256: String?

    package init(
        caFile: String? = nil, certFile: String? = nil, keyFile: String? = nil, pinSHA256: String? = nil
    ) {
        self.caFile = caFile
        self.certFile = certFile
        self.keyFile = keyFile
        self.pinSHA256 = pinSHA256
    }
}

/// A SHA-256 that the peer's certificate or its public key must have.
package enum CertificatePin: Sendable, Hashable {
    /// Of the public key (SubjectPublicKeyInfo, RFC 7469), as `sha256//` and 44 characters of Base64.
    case publicKey(String)
    /// Of the whole certificate, as 32 bytes.
    case certificate([UInt8])

    /// Reads `sha256//<Base64>`, or a certificate's fingerprint: 64 hexadecimal digits, perhaps in pairs parted by
    /// colons as `openssl x509 -fingerprint -sha256` prints them.
    package init?(_ text: String) {
        let prefix = "sha256//"
        if text.hasPrefix(prefix) {
            let encoded = text.utf8.dropFirst(prefix.utf8.count)
            guard encoded.count == 44, encoded.last == UInt8(ascii: "="),
                encoded.dropLast().allSatisfy(Self.isBase64)
            else { return nil }
            self = .publicKey(text)
            return
        }
        let pairs = text.split(separator: ":", omittingEmptySubsequences: false).map(Array.init)
        let digits: [Character] = pairs.count == 1 ? pairs[0] : pairs.flatMap { $0 }
        guard digits.count == 64, pairs.count == 1 || pairs.allSatisfy({ $0.count == 2 }) else { return nil }
        var bytes: [UInt8] = []
        for place in stride(from: 0, to: 64, by: 2) {
            guard let upper = digits[place].hexDigitValue, digits[place].isASCII,
                let lower = digits[place + 1].hexDigitValue, digits[place + 1].isASCII
            else { return nil }
            bytes.append(UInt8(upper << 4 | lower))
        }
        self = .certificate(bytes)
    }

    /// As `openssl x509 -fingerprint -sha256` prints it.
    static func fingerprint(_ digest: [UInt8]) -> String {
        digest.map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return byte < 16 ? "0" + digits : digits
        }.joined(separator: ":")
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
