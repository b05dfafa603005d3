import Cryptography
import Testing

@Suite struct EncodingTests {
    /// RFC 4648, section 10.
    static let base64 = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]

    @Test("Base64 gives the encodings of RFC 4648, and takes them back", arguments: base64)
    func base64Vectors(_ text: String, _ encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
    }

    @Test("every byte at every place of a group survives Base64")
    func base64RoundTrip() {
        for byte in UInt8.min...UInt8.max {
            for bytes in [[byte], [0, byte], [255, byte, 1], [byte, byte, byte, byte]] {
                #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            }
        }
    }

    @Test(
        "Base64 refuses white space, other alphabets, misplaced padding and stray bits",
        arguments: [
            "Zg", "Zg=", "Zg===", "Z", "Z===", "====", "Zm9v\n", " Zm9v", "Zm 9v", "Zm-v", "Zm_v", "Zh==", "Zm9=",
            "Zg==Zg==", "é",
        ])
    func base64Strict(_ text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("padding may be left out only where that is asked for")
    func optionalPadding() {
        #expect(Base64.decode("Zg", padding: .optional) == Array("f".utf8))
        #expect(Base64.decode("Zg==", padding: .optional) == Array("f".utf8))
        #expect(Base64.decode("Zg=", padding: .optional) == nil)
        #expect(Base64.decode("Zh", padding: .optional) == nil)
    }

    @Test("hexadecimal digits are written in lower case and read in either")
    func hex() {
        #expect(Hex.encode([0x00, 0x0f, 0xa5, 0xff]) == "000fa5ff")
        #expect(Hex.decode("000fA5Ff") == [0x00, 0x0f, 0xa5, 0xff])
        #expect(Hex.decode("") == [])
        for wrong in ["0", "0g", " 00", "0x00", "00\n", "٠٠"] { #expect(Hex.decode(wrong) == nil) }
    }
}

@Suite struct SecrecyTests {
    @Test("bytes are equal only when all of them are")
    func equality() {
        #expect(constantTimeEquals([UInt8](), []))
        #expect(constantTimeEquals([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2]))
        for index in 0..<32 {
            var changed = [UInt8](repeating: 7, count: 32)
            changed[index] ^= 0x80
            #expect(!constantTimeEquals([UInt8](repeating: 7, count: 32), changed))
        }
        #expect(constantTimeEquals("key", "key"))
        #expect(!constantTimeEquals("é", "e\u{301}"))
    }

    @Test("cleansed bytes are zero")
    func cleansing() {
        var bytes = Array("secret".utf8)
        cleanse(&bytes)
        #expect(bytes == [0, 0, 0, 0, 0, 0])
        var empty: [UInt8] = []
        cleanse(&empty)
        #expect(empty.isEmpty)
    }

    @Test("random bytes have the length asked for and do not repeat")
    func random() {
        #expect(randomBytes(0).isEmpty)
        #expect(randomBytes(33).count == 33)
        #expect(randomBytes(32) != randomBytes(32))
    }
}
