internal import Configuration
internal import Cryptography
internal import Kafka
internal import KafkaLog
internal import Targets

/// Topics that one demonstration has for itself, in a Kafka of the user's.
struct DemoTopics {
    private let settings: KafkaLogSettings
    private let targets: [String]

    /// Nil where the log is in the data folder.
    /// - Parameters:
    ///   - configuration: gets a prefix that no other instance has.
    ///   - brokers: `host:port` with commas between them; nil: what the configuration says.
    init?(_ configuration: inout Configuration, brokers: String?) throws {
        guard var settings = brokers == nil ? configuration.log.kafka : KafkaLogSettings() else { return nil }
        if let brokers {
            settings.brokers = brokers.split(separator: ",").map(String.init)
            settings.display = brokers
        }
        guard !settings.brokers.isEmpty, settings.brokers.allSatisfy({ $0.contains(":") }) else {
            throw UsageError("--brokers takes host:port, with commas between them, such as kafka-1:9092,kafka-2:9092")
        }
        settings.prefix = "gatehouse-demo-" + Hex.encode(randomBytes(4))
        // Nobody would publish later what waits in it, and whoever names the wrong broker is told so at once.
        settings.spoolBytes = nil
        configuration.log = .kafka(settings)
        self.settings = settings
        targets = configuration.targets.map(\.settings.name)
    }

    func introduce(_ screen: DemoScreen) {
        screen.say("  events are in     Kafka at \(Terminal.harmless(settings.display)), topics \(settings.prefix).*")
    }

    /// Takes them away again, with the groups of the targets. What cannot be removed is said.
    func remove() {
        let kafka = KafkaConfiguration(
            brokers: settings.brokers, properties: settings.properties, addressGuard: settings.addressGuard,
            clientID: settings.prefix)
        do throws(KafkaFailure) {
            let admin = try KafkaAdmin(kafka)
            let names = try admin.topics().keys.filter { $0.hasPrefix(settings.prefix + ".") }
            try admin.delete(topics: Array(names))
            let state = StateTopics(prefix: settings.prefix)
            for target in targets { try admin.deleteGroup(state.group(target)) }
        } catch {
            Terminal.complain("the topics \(settings.prefix).* could not be removed: \(error.message)")
        }
    }
}
