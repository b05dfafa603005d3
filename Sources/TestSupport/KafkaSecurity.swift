import Foundation

/// A broker that is reached by TLS and wants to know who comes, and how its users come in.
package struct KafkaSecurity: Sendable {
    package static let user = "gatehouse"
    /// A text that is found nowhere else, so that it can be looked for where it must not be.
    package static let password = "correct-horse-battery-staple"

    package enum Mechanism: String, Sendable, CaseIterable {
        case plain = "PLAIN"
        case scram = "SCRAM-SHA-512"
        case bearer = "OAUTHBEARER"
    }

    /// What signed the broker's certificate, as a PEM file.
    package var authority: String { issuer.caFile }
    private let issuer: LocalAuthority

    /// librdkafka's properties by which a client comes in.
    package func properties(_ mechanism: Mechanism = .scram, password: String = password) -> [String: String] {
        var properties = [
            "security.protocol": "sasl_ssl", "ssl.ca.location": authority, "sasl.mechanism": mechanism.rawValue,
        ]
        switch mechanism {
        case .plain, .scram:
            properties["sasl.username"] = Self.user
            properties["sasl.password"] = password
        case .bearer:
            properties["enable.sasl.oauthbearer.unsecure.jwt"] = "true"
            properties["sasl.oauthbearer.config"] = "principal=\(Self.user)"
        }
        return properties
    }

    /// Writes the configuration of one broker to a folder, and formats its storage.
    init(_ folder: TemporaryDirectory, port: Int, jars: String) throws {
        issuer = try LocalAuthority()
        let identity = try issuer.issue()
        // One file with the key and then the certificates.
        let key = try String(contentsOfFile: identity.keyFile, encoding: .utf8)
        let certificates = try String(contentsOfFile: identity.certFile, encoding: .utf8)
        let store = try folder.write("identity.pem", key + certificates)
        try folder.write("ports", "1 \(port) \(port + 1)\n")
        let login = "org.apache.kafka.common.security"
        let properties = try folder.write(
            "broker-1.properties",
            """
            process.roles=broker,controller
            node.id=1
            controller.quorum.voters=1@127.0.0.1:\(port + 1)
            listeners=SASL_SSL://127.0.0.1:\(port),CONTROLLER://127.0.0.1:\(port + 1)
            advertised.listeners=SASL_SSL://127.0.0.1:\(port)
            controller.listener.names=CONTROLLER
            inter.broker.listener.name=SASL_SSL
            listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
            ssl.keystore.type=PEM
            ssl.keystore.location=\(store)
            ssl.truststore.type=PEM
            ssl.truststore.location=\(issuer.caFile)
            sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512,OAUTHBEARER
            sasl.mechanism.inter.broker.protocol=PLAIN
            listener.name.sasl_ssl.plain.sasl.jaas.config=\(login).plain.PlainLoginModule required \
            username="broker" password="broker" user_broker="broker" user_\(Self.user)="\(Self.password)";
            listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\(login).scram.ScramLoginModule required;
            listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=\(login).oauthbearer.OAuthBearerLoginModule required \
            unsecuredLoginStringClaim_sub="broker";
            log.dirs=\(folder.file("data-1"))
            num.partitions=3
            default.replication.factor=1
            offsets.topic.replication.factor=1
            offsets.topic.num.partitions=3
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1
            group.initial.rebalance.delay.ms=0

            """)
        let scram = "SCRAM-SHA-512=[name=\(Self.user),password=\(Self.password)]"
        let (status, output) = try run(
            "java",
            [
                "-Xmx128m", "-cp", "\(jars)/*", "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg",
                "-c", properties, "--add-scram", scram,
            ])
        guard status == 0 else { throw KafkaCluster.Unavailable(description: output) }
    }
}
