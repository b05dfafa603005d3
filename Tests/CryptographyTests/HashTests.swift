import Cryptography
import Testing

@Suite struct HashTests {
    @Test(
        "SHA-256 gives the digests of FIPS 180-4's examples",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func sha256(_ message: String, _ digest: String) {
        #expect(Hex.encode(SHA256.hash(Array(message.utf8))) == digest)
        #expect(Hex.encode(SHA256.hash(message)) == digest)
    }

    @Test("SHA-1 and SHA-512 give the digests of FIPS 180-4's examples")
    func otherAlgorithms() {
        let message = Array("abc".utf8)
        #expect(Hex.encode(HashAlgorithm.sha1.hash(message)) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(
            Hex.encode(HashAlgorithm.sha512.hash(message))
                == "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
    }

    @Test("a message fed in parts has the digest of the whole", arguments: [1, 3, 63, 64, 65, 1000])
    func incremental(_ step: Int) {
        let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var state = SHA256()
        var rest = message[...]
        while !rest.isEmpty {
            state.update(Array(rest.prefix(step)))
            rest = rest.dropFirst(step)
        }
        #expect(state.finish() == SHA256.hash(message))
    }

    @Test("a finished digest starts anew")
    func reuse() {
        var state = SHA256()
        state.update("something else")
        _ = state.finish()
        state.update("abc")
        #expect(state.finish() == SHA256.hash("abc"))
    }

    @Test("parts handed over together are hashed as one message")
    func parts() {
        let one = Array("london\n".utf8)
        let two = Array("4EPAoqR4N8jZktby".utf8)
        let together = unsafe one.withUnsafeBytes { one in
            unsafe two.withUnsafeBytes { two in unsafe SHA256.hash(one, two) }
        }
        #expect(together == SHA256.hash(one + two))
        let joined = one + two
        let borrowed = unsafe HashAlgorithm.sha256.hash(joined.span.bytes)
        #expect(borrowed == together)
    }
}
