import Foundation

/// One way in which a file of the log is not what was written.
struct Damage: Sendable, CustomStringConvertible {
    enum Change: Sendable {
        case flip(bit: Int)
        /// All bytes from there on are gone.
        case cut
    }

    var file: String
    /// What lies there.
    var region: String
    var offset: Int
    var change: Change

    var description: String {
        switch change {
        case .flip(let bit): "bit \(bit) of byte \(offset) of \(file) flipped, in \(region)"
        case .cut: "\(file) cut off at byte \(offset), in \(region)"
        }
    }

    func apply(in folder: String) throws {
        let handle = try FileHandle(forUpdating: URL(filePath: "\(folder)/\(file)"))
        defer { try? handle.close() }
        switch change {
        case .flip(let bit):
            try handle.seek(toOffset: UInt64(offset))
            guard let byte = try handle.read(upToCount: 1)?.first else { throw Failure("no byte \(offset) in \(file)") }
            try handle.seek(toOffset: UInt64(offset))
            try handle.write(contentsOf: Data([byte ^ UInt8(1 << bit)]))
        case .cut: try handle.truncate(atOffset: UInt64(offset))
        }
    }
}

/// Where what lies in the files of a log, by SQLite's file format (https://www.sqlite.org/fileformat2.html).
struct LogMap {
    private let database: Data
    private let log: Data
    private let pageSize: Int
    private static let logHeader = 32
    private static let frameHeader = 24

    init(folder: String) throws {
        func read(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: "\(folder)/\(name)")) }
        database = try read("events.db")
        log = try read("events.db-wal")
        guard database.count > 100, log.count > Self.logHeader else { throw Failure("the log's files are too small") }
        pageSize = Int(database[16]) << 8 | Int(database[17])
    }

    /// Bytes of every region, by its name: as many of each as `count`, or all there are.
    func damages(_ count: Int, _ random: inout some RandomNumberGenerator) -> [Damage] {
        var damages: [Damage] = []
        for (file, regions) in [("events.db", databaseRegions), ("events.db-wal", logRegions)] {
            for (region, ranges) in regions.sorted(by: { $0.key < $1.key }) {
                for _ in 0..<count {
                    let offset = Int.random(in: ranges.randomElement(using: &random)!, using: &random)
                    let bit = Int.random(in: 0..<8, using: &random)
                    damages.append(Damage(file: file, region: region, offset: offset, change: .flip(bit: bit)))
                }
                let cut = Int.random(in: ranges.randomElement(using: &random)!, using: &random)
                damages.append(Damage(file: file, region: region, offset: cut, change: .cut))
            }
        }
        for (file, size) in [("events.db", database.count), ("events.db-wal", log.count)] {
            for offset in [0, size - 1] {
                damages.append(Damage(file: file, region: "its ends", offset: offset, change: .cut))
            }
        }
        return damages
    }

    private var databaseRegions: [String: [Range<Int>]] {
        var regions = ["the header": [0..<100]]
        for start in stride(from: 0, to: database.count, by: pageSize) {
            let (kind, head) = page(start)
            let body = start + (start == 0 ? 100 : 0)
            regions["the head of \(kind)", default: []].append(body..<body + head)
            regions["the rest of \(kind)", default: []].append(body + head..<start + pageSize)
        }
        return regions
    }

    /// What a page is, and the length of its head: of a tree's page, with the places of its cells.
    private func page(_ start: Int) -> (kind: String, head: Int) {
        let header = start + (start == 0 ? 100 : 0)
        let cells = Int(database[header + 3]) << 8 | Int(database[header + 4])
        switch database[header] {
        case 2: return ("an inner page of an index", 12 + 2 * cells)
        case 5: return ("an inner page of a table", 12 + 2 * cells)
        case 10: return ("a leaf of an index", 8 + 2 * cells)
        case 13: return ("a leaf of a table", 8 + 2 * cells)
        default: return ("a page of no tree", 8)
        }
    }

    private var logRegions: [String: [Range<Int>]] {
        var regions = ["the header": [0..<Self.logHeader]]
        let frame = Self.frameHeader + pageSize
        for start in stride(from: Self.logHeader, through: log.count - frame, by: frame) {
            let body = start + Self.frameHeader
            // Bytes 4 to 7 tell whether a commit ends here.
            let isCommit = log[(start + 4)..<(start + 8)].contains { $0 != 0 }
            let kind = start + 2 * frame > log.count ? "the last frame" : isCommit ? "the end of a commit" : "a frame"
            regions["the head of \(kind)", default: []].append(start..<body)
            regions["the page in \(kind)", default: []].append(body..<body + pageSize)
        }
        return regions
    }
}
