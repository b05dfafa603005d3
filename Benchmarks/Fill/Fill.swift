import EventLog
import Events
import Glibc

/// Makes a log remember ids as if their events had come and gone: `gatehouse-fill FOLDER COUNT`. What they cost in
/// memory, at the start and on every append is then what they cost in service.
@main
struct Fill {
    private static let atOnce = 1_000_000

    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 2, let folder = arguments.first, let count = arguments.last.flatMap({ Int($0) }),
            count > 0
        else {
            print("usage: gatehouse-fill FOLDER COUNT")
            exit(2)
        }
        let log = try SQLiteEventLog.open(folder: folder)
        var generator = SystemRandomNumberGenerator()
        for start in stride(from: 0, to: count, by: atOnce) {
            let ids = (start..<min(start + atOnce, count)).map { _ in
                EventID(high: generator.next(), low: generator.next())
            }
            try log.remember(ids)
        }
        log.close()
        print("\(folder) remembers \(count) ids")
    }
}
