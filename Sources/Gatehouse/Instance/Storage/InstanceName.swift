internal import Configuration
internal import Cryptography
internal import YAML

/// What an instance is called where several share the work: as configured, or the machine's name and an id that the data
/// folder keeps, so that two on one machine differ and one that starts again is the same.
enum InstanceName {
    private static let mostOfMachine = 40

    /// Makes the id where there is none. The folder's lock must be held.
    static func kept(_ settings: KafkaLogSettings, dataFolder: String) throws -> String {
        if let name = settings.instance { return name }
        if let name = known(settings, dataFolder: dataFolder) { return name }
        let id = Hex.encode(randomBytes(4))
        try PrivateFile.makeFolder(dataFolder + "/kafka")
        try PrivateFile.replace(path(in: dataFolder), with: Array((id + "\n").utf8))
        return name(id)
    }

    /// Nil where an instance has never run with the folder.
    static func known(_ settings: KafkaLogSettings, dataFolder: String) -> String? {
        if let name = settings.instance { return name }
        guard let bytes = try? readFile(path(in: dataFolder), maximumBytes: 100) else { return nil }
        let id = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
        return id.utf8.count == 8 && id.utf8.allSatisfy(isLetterOrDigit) ? name(id) : nil
    }

    static func path(in dataFolder: String) -> String { dataFolder + "/kafka/instance" }

    private static func name(_ id: String) -> String {
        let machine = Machine.name.utf8.map { isLetterOrDigit($0) || $0 == UInt8(ascii: ".") ? $0 : UInt8(ascii: "-") }
        return String(decoding: machine.prefix(mostOfMachine), as: UTF8.self) + "-" + id
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}
