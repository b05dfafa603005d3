import Foundation

/// How long and how hard, from the environment; what holds without it is for every change.
enum Torture {
    private static let environment = ProcessInfo.processInfo.environment

    /// Kills of the program under load.
    static let kills = number("KILLS") ?? 50
    /// Faults of the disk under load, a kill after every fourth.
    static let storms = number("STORMS") ?? 24
    /// Places to damage in each region of the log's files.
    static let damages = number("DAMAGES") ?? 1
    /// Seconds for which a target is down.
    static let outage = number("OUTAGE") ?? 3
    /// How often everything is done to Kafka and the instances that share it.
    static let rounds = number("ROUNDS") ?? 1
    /// Seconds for which a broker hangs.
    static let brokerPause = number("PAUSE") ?? 5
    /// Seconds for which all brokers are gone.
    static let brokersGone = number("GONE") ?? 10
    /// Decides the moments and the faults. A run prints it.
    static let seed = environment["SEED"].flatMap { UInt64($0) } ?? 0x6a7e_4005

    private static func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
}
