import HTTPTypes
import Testing

@testable import HTTPServer

@Suite("Reading a header block")
struct HeaderBlockTests {
    @Test("takes every field in order, without the white space around its value")
    func fields() throws {
        let wire = "GET /a?b=c HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Blank: \t \r\nX-A:b\r\nx-a: \t c d \t\r\n\r\n"
        let block = try #require(LibraryParse(Array(wire.utf8))).read()
        #expect(
            block.fields == [
                HeaderField("Host", "a"), HeaderField("X-Empty", ""), HeaderField("X-Blank", ""),
                HeaderField("X-A", "b"), HeaderField("x-a", "c d"),
            ])
        #expect(!block.framing.hasBody)
    }

    @Test("keeps text above ASCII and repairs what is not UTF-8")
    func octets() throws {
        var wire = Array("GET / HTTP/1.1\r\nHost: a\r\nX-A: é\r\nX-B: ".utf8)
        wire += [0xff, 0x41] + Array("\r\n\r\n".utf8)
        let block = try #require(LibraryParse(wire)).read()
        #expect(block.fields[1].value == "é")
        #expect(block.fields[2].value == "\u{fffd}A")
    }

    @Test("knows where the body ends")
    func framing() throws {
        let length = try #require(
            LibraryParse(Array("POST / HTTP/1.1\r\nHost: a\r\ncONTENT-lENGTH: 0017\r\n\r\n".utf8))
        ).read().framing
        #expect(length.contentLength == 17 && !length.isChunked && length.hasBody)
        let chunked = try #require(
            LibraryParse(Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n".utf8))
        ).read().framing
        #expect(chunked.contentLength == nil && chunked.isChunked && chunked.hasBody)
        let none = try #require(LibraryParse(Array("GET / HTTP/1.0\r\n\r\n".utf8))).read()
        #expect(none.framing == RequestFraming() && none.fields.isEmpty)
    }

    @Test("refuses more fields than are taken")
    func count() throws {
        let many = (0..<5).map { "X-\($0): a\r\n" }.joined()
        let parse = try #require(LibraryParse(Array("GET / HTTP/1.0\r\n\(many)\r\n".utf8)))
        #expect(try parse.read(maximumCount: 5).fields.count == 5)
        #expect(throws: HeaderViolation.tooManyFields) { try parse.read(maximumCount: 4) }
    }

    @Test("refuses", arguments: WireShape.all.filter { !$0.isRefusedByLibrary })
    func refuses(shape: WireShape) throws {
        let parse = try #require(LibraryParse(shape.bytes))
        // A control character in the target is found in the target itself, which the block no longer holds.
        guard shape.violation != .target || shape.bytes.contains(0) else { return }
        #expect(throws: shape.violation) { try parse.read() }
    }

    @Test("reads no byte outside the block and takes none for granted, whatever is in it")
    func damage() throws {
        let wire = "POST /in/london?x=1 HTTP/1.1\r\nHost: a\r\nX-A: b\r\nContent-Length: 2\r\nX-C:\r\n\r\n"
        let whole = try #require(LibraryParse(Array(wire.utf8)))
        var generator = SplitMix(seed: 7)
        var accepted = 0
        for _ in 0..<20_000 {
            var damaged = whole
            for _ in 0...Int.random(in: 0...2, using: &generator) {
                let place = Int.random(in: 0..<damaged.block.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: damaged.block[place] = [0, 32, 9, 13, 10, 58, 65, 255].randomElement(using: &generator)!
                case 1: damaged.block.remove(at: place)
                default: damaged.block.insert(0, at: place)
                }
            }
            if Bool.random(using: &generator) {
                damaged.versionOffset += Int.random(in: -40...40, using: &generator)
                damaged.targetOffset += Int.random(in: -10...10, using: &generator)
            }
            for count in 3...4 {
                damaged.fieldCount = count
                if (try? damaged.read()) != nil { break }
            }
            guard let block = try? damaged.read() else { continue }
            accepted += 1
            #expect(rebuilt(block, damaged) == withoutBlanks(damaged))
        }
        #expect(accepted > 100)
    }

    /// The block that these fields alone make.
    private func rebuilt(_ block: HeaderBlock, _ parse: LibraryParse) -> [UInt8] {
        var bytes = Array(parse.block[..<(parse.versionOffset + 8)]) + [0, 0]
        for field in block.fields { bytes += Array(field.name.utf8) + [0] + Array(field.value.utf8) + [0, 0] }
        return bytes + [0, 0]
    }

    /// A block whose values have no outer white space and whose text is UTF-8, for comparing.
    private func withoutBlanks(_ parse: LibraryParse) -> [UInt8] {
        let start = parse.versionOffset + 8
        var bytes = Array(parse.block[..<start])
        var rest = parse.block[start...]
        while let zero = rest.firstIndex(of: 0) {
            var piece = rest[..<zero]
            while let first = piece.first, first == 32 || first == 9 { piece.removeFirst() }
            while let last = piece.last, last == 32 || last == 9 { piece.removeLast() }
            bytes += Array(String(decoding: piece, as: UTF8.self).utf8) + [0]
            rest = rest[(zero + 1)...]
        }
        return bytes
    }
}

/// A seeded source of random numbers, so that a failure comes again.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
