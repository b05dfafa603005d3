import Cryptography
import Testing

@Suite struct Ed25519Tests {
    struct Vector: Sendable {
        let seed, publicKey, message, signature: String
    }

    /// RFC 8032, section 7.1, tests 1 to 3.
    static let vectors = [
        Vector(
            seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", message: "",
            signature: "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        Vector(
            seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", message: "72",
            signature: "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
        Vector(
            seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", message: "af82",
            signature: "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ]

    @Test("Ed25519 gives the signatures of RFC 8032", arguments: vectors)
    func signatures(_ vector: Vector) throws {
        let key = try Ed25519PrivateKey(seed: #require(Hex.decode(vector.seed)))
        let message = try #require(Hex.decode(vector.message))
        #expect(Hex.encode(key.publicKey) == vector.publicKey)
        #expect(Hex.encode(key.sign(message)) == vector.signature)
        let publicKey = try Ed25519PublicKey(key.publicKey)
        #expect(try publicKey.verify(#require(Hex.decode(vector.signature)), of: message))
    }

    @Test("a flipped bit anywhere in the signature or the message is refused")
    func flippedBits() throws {
        let key = try Ed25519PrivateKey(seed: randomBytes(32))
        let publicKey = try Ed25519PublicKey(key.publicKey)
        let message = Array("the message".utf8)
        let signature = key.sign(message)
        #expect(publicKey.verify(signature, of: message))
        for bit in 0..<signature.count * 8 {
            var flipped = signature
            flipped[bit / 8] ^= 1 << (bit % 8)
            #expect(!publicKey.verify(flipped, of: message))
        }
        for bit in 0..<message.count * 8 {
            var flipped = message
            flipped[bit / 8] ^= 1 << (bit % 8)
            #expect(!publicKey.verify(signature, of: flipped))
        }
        #expect(!publicKey.verify(Array(signature.dropLast()), of: message))
    }

    @Test("a secret key written with its public key is taken only when the halves belong together")
    func halves() throws {
        let key = try Ed25519PrivateKey(seed: randomBytes(32))
        let other = try Ed25519PrivateKey(seed: randomBytes(32))
        let seed = try #require(Hex.decode(Self.vectors[0].seed))
        let publicKey = try #require(Hex.decode(Self.vectors[0].publicKey))
        #expect(try Ed25519PrivateKey(seedAndPublicKey: seed + publicKey).publicKey == publicKey)
        #expect(throws: CryptographyError.self) { try Ed25519PrivateKey(seedAndPublicKey: seed + other.publicKey) }
        #expect(throws: CryptographyError.self) { try Ed25519PrivateKey(seed: key.publicKey + [0]) }
        #expect(throws: CryptographyError.self) { try Ed25519PublicKey([1, 2, 3]) }
    }
}
