import Cryptography
import Testing

struct HMACVector: Sendable, CustomTestStringConvertible {
    let name: String
    let key: [UInt8]
    let message: [UInt8]
    let codes: [HashAlgorithm: String]

    var testDescription: String { name }

    /// RFC 4231, section 4, without the truncated case 5.
    static let rfc4231: [HMACVector] = [
        HMACVector(
            name: "case 1", key: Array(repeating: 0x0b, count: 20), message: Array("Hi There".utf8),
            codes: [
                .sha256: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
                .sha512: "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
                    + "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
            ]),
        HMACVector(
            name: "case 2", key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8),
            codes: [
                .sha256: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                .sha512: "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                    + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ]),
        HMACVector(
            name: "case 3", key: Array(repeating: 0xaa, count: 20), message: Array(repeating: 0xdd, count: 50),
            codes: [
                .sha256: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
                .sha512: "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
                    + "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
            ]),
        HMACVector(
            name: "case 4", key: Array(1...25), message: Array(repeating: 0xcd, count: 50),
            codes: [
                .sha256: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
                .sha512: "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
                    + "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
            ]),
        HMACVector(
            name: "case 6", key: Array(repeating: 0xaa, count: 131),
            message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            codes: [
                .sha256: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
                .sha512: "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
                    + "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
            ]),
        HMACVector(
            name: "case 7", key: Array(repeating: 0xaa, count: 131),
            message: Array(
                ("This is a test using a larger than block-size key and a larger than block-size data. "
                    + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
            codes: [
                .sha256: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
                .sha512: "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
                    + "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
            ]),
    ]

    /// RFC 2202, section 3.
    static let rfc2202: [HMACVector] = [
        HMACVector(
            name: "case 1", key: Array(repeating: 0x0b, count: 20), message: Array("Hi There".utf8),
            codes: [.sha1: "b617318655057264e28bc0b6fb378c8ef146be00"]),
        HMACVector(
            name: "case 2", key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8),
            codes: [.sha1: "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"]),
        HMACVector(
            name: "case 3", key: Array(repeating: 0xaa, count: 20), message: Array(repeating: 0xdd, count: 50),
            codes: [.sha1: "125d7342b9ac11cd91a39af48aa17b4f63f175d3"]),
        HMACVector(
            name: "case 6", key: Array(repeating: 0xaa, count: 80),
            message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            codes: [.sha1: "aa4ae5e15272d00e95705637ce8a3b55ed402112"]),
    ]
}

@Suite struct HMACTests {
    @Test("HMAC gives the codes of RFC 4231 and RFC 2202", arguments: HMACVector.rfc4231 + HMACVector.rfc2202)
    func vectors(_ vector: HMACVector) throws {
        for (algorithm, code) in vector.codes {
            let key = try HMACKey(algorithm: algorithm, key: vector.key)
            #expect(Hex.encode(key.authenticate(vector.message)) == code)
        }
    }

    @Test("a message fed in parts has the code of the whole, and a key serves many messages")
    func parts() throws {
        let key = try HMACKey(algorithm: .sha256, key: Array("secret".utf8))
        let whole = key.authenticate(Array("1644316744.{}".utf8))
        for _ in 0..<3 {
            var state = key.begin()
            state.update("1644316744")
            state.update(".")
            state.update("{}")
            #expect(state.finish() == whole)
        }
        #expect(key.authenticate(Array("1644316744.{ }".utf8)) != whole)
    }

    @Test("an unfinished message leaves the key as it was")
    func abandoned() throws {
        let key = try HMACKey(algorithm: .sha256, key: Array("secret".utf8))
        let before = key.authenticate([1, 2, 3])
        var state = key.begin()
        state.update("never finished")
        _ = consume state
        #expect(key.authenticate([1, 2, 3]) == before)
    }

    @Test("an empty key is refused")
    func emptyKey() {
        #expect(throws: CryptographyError.self) { try HMACKey(algorithm: .sha256, key: []) }
    }

    @Test("many threads share one key")
    func concurrent() async throws {
        let key = try HMACKey(algorithm: .sha256, key: Array("shared".utf8))
        let wrong = await withTaskGroup(of: Int.self) { group in
            let expected = (0..<64).map { key.authenticate(Array(repeating: UInt8($0), count: 600)) }
            for _ in 0..<8 {
                group.addTask {
                    (0..<64).count { key.authenticate(Array(repeating: UInt8($0), count: 600)) != expected[$0] }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }
}
