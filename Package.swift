// swift-tools-version: 6.2
import PackageDescription

/// One language mode for all modules: Swift 6, strict memory safety, the upcoming features we rely on.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

func module(_ name: String, _ dependencies: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies.map { .byName(name: $0) }, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [String], fixtures: Bool = false) -> Target {
    .testTarget(
        name: name, dependencies: dependencies.map { .byName(name: $0) },
        resources: fixtures ? [.copy("Fixtures")] : [], swiftSettings: settings)
}

func library(_ name: String, pkgConfig: String, package: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let package = Package(
    name: "gatehouse",
    products: [.executable(name: "gatehouse", targets: ["Gatehouse"])],
    targets: [
        // C libraries, each behind one module.
        .systemLibrary(name: "CMimalloc", providers: [.apt(["libmimalloc-dev"])]),
        library("CYAML", pkgConfig: "yaml-0.1", package: "libyaml-dev"),
        library("COpenSSL", pkgConfig: "libcrypto", package: "libssl-dev"),
        library("CSQLite", pkgConfig: "sqlite3", package: "libsqlite3-dev"),
        library("CMicroHTTPD", pkgConfig: "libmicrohttpd", package: "libmicrohttpd-dev"),
        library("CGnuTLS", pkgConfig: "gnutls", package: "libgnutls28-dev"),
        library("CCurl", pkgConfig: "libcurl", package: "libcurl4-openssl-dev"),
        library("CRdKafka", pkgConfig: "rdkafka", package: "librdkafka-dev"),
        library("CZLIB", pkgConfig: "zlib", package: "zlib1g-dev"),
        .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),

        // Vocabulary.
        module("JSON", ["CSimdjson"]),
        module("YAML", ["CYAML"]),
        module("HTTPTypes"),
        module("Addresses"),
        module("Cryptography", ["COpenSSL"]),
        module("Logging"),
        module("Kafka", ["CRdKafka", "Addresses", "Threads"]),
        module("Metrics"),
        module("Threads"),
        module("TimeZones"),
        .target(name: "ShippedPresets", resources: [.embedInCode("Files")], swiftSettings: settings),

        // The core.
        module("Events", ["JSON", "Cryptography"]),
        module("FieldPolicies", ["Addresses", "Cryptography", "Events", "JSON", "YAML"]),
        module("Signatures", ["Cryptography", "HTTPTypes", "YAML"]),
        module("Vendors", ["Events", "JSON", "Signatures", "HTTPTypes", "Cryptography"]),
        module("Rules", ["Addresses", "CRE2", "Cryptography", "Events", "JSON", "TimeZones", "YAML"]),
        module("SQLite", ["CSQLite"]),
        module("EventLog", ["SQLite", "Events", "Cryptography", "Logging", "Threads"]),
        module("HTTPServer", ["CMicroHTTPD", "CGnuTLS", "HTTPTypes", "Addresses", "Logging", "Threads"]),
        module("HTTPClient", ["CCurl", "HTTPTypes", "Addresses", "Threads"]),
        module(
            "Targets",
            [
                "Addresses", "Cryptography", "CZLIB", "Events", "FieldPolicies", "HTTPClient", "HTTPTypes", "JSON",
                "Kafka", "Logging", "ShippedPresets", "Signatures", "TimeZones", "YAML",
            ]),
        module(
            "Delivery",
            [
                "Cryptography", "EventLog", "Events", "JSON", "Logging", "Metrics", "Rules", "SQLite", "Targets",
                "Threads", "YAML",
            ]),
        module(
            "KafkaLog",
            [
                "Addresses", "Cryptography", "EventLog", "Events", "JSON", "Kafka", "Logging", "Metrics", "SQLite",
                "Threads",
            ]),
        module(
            "KafkaDelivery",
            [
                "Cryptography", "Delivery", "EventLog", "Events", "JSON", "Kafka", "KafkaLog", "Logging", "Metrics",
                "Rules", "SQLite", "Targets", "Threads",
            ]),
        module(
            "Ingest",
            [
                "Addresses", "Cryptography", "EventLog", "Events", "FieldPolicies", "HTTPServer", "HTTPTypes", "JSON",
                "Logging", "Metrics", "Rules", "Signatures", "Threads", "Vendors",
            ]),
        module(
            "Console",
            [
                "Addresses", "Cryptography", "Delivery", "EventLog", "Events", "HTTPServer", "HTTPTypes", "JSON",
                "Metrics", "Rules", "Targets", "YAML",
            ]),

        // The program.
        module(
            "Configuration",
            [
                "Addresses", "Events", "FieldPolicies", "HTTPServer", "HTTPTypes", "Ingest", "JSON", "Kafka", "Rules",
                "Signatures", "Targets", "TimeZones", "Vendors", "YAML",
            ]),
        module("Rehearsal", ["Events", "HTTPTypes", "Ingest", "JSON", "Rules", "Vendors", "YAML"]),
        module("Simulator", ["Cryptography", "Events", "HTTPClient", "HTTPTypes", "JSON", "Signatures", "Vendors"]),
        .executableTarget(
            name: "Gatehouse",
            dependencies: [
                "Addresses", "CMimalloc", "Configuration", "Console", "Cryptography", "Delivery", "EventLog", "Events",
                "HTTPClient",
                "HTTPServer", "HTTPTypes", "Ingest", "JSON", "Kafka", "KafkaDelivery", "KafkaLog", "Logging", "Metrics",
                "Rehearsal", "Rules", "SQLite", "Signatures", "Simulator", "Targets", "Threads", "Vendors", "YAML",
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "gatehouse-fill", dependencies: ["EventLog", "Events"], path: "Benchmarks/Fill",
            swiftSettings: settings),
        .executableTarget(
            name: "gatehouse-syslog",
            dependencies: ["CCurl", "Events", "HTTPClient", "JSON", "Logging", "Targets", "TestSupport", "YAML"],
            path: "Benchmarks/Syslog", swiftSettings: settings),
        tests(
            "IngestTests",
            [
                "Addresses", "Cryptography", "EventLog", "Events", "FieldPolicies", "HTTPClient", "HTTPServer",
                "HTTPTypes", "Ingest", "JSON", "Metrics", "Rules", "Signatures", "Simulator", "TestSupport", "Vendors",
                "YAML",
            ]),
        tests(
            "ConfigurationTests",
            [
                "Configuration", "Events", "HTTPServer", "Ingest", "JSON", "Rules", "Signatures", "Targets", "Vendors",
                "YAML",
            ]),
        tests("LoggingTests", ["Logging"]),
        tests("MetricsTests", ["Metrics"]),
        tests("ThreadsTests", ["Threads"]),
        tests(
            "ConsoleTests",
            [
                "Addresses", "Console", "Delivery", "EventLog", "Events", "HTTPServer", "HTTPTypes", "JSON", "Logging",
                "Metrics", "Rules", "Targets", "YAML",
            ]),
        tests("SimulatorTests", ["Events", "JSON", "Signatures", "Simulator", "Vendors"]),
        tests("FieldPoliciesTests", ["Events", "FieldPolicies", "JSON", "Vendors", "YAML"]),
        tests("EventsTests", ["Cryptography", "Events", "JSON"]),
        tests("CryptographyTests", ["Cryptography"]),
        tests("SignaturesTests", ["Cryptography", "HTTPTypes", "Signatures", "YAML"]),
        tests(
            "VendorsTests", ["Cryptography", "Events", "HTTPTypes", "JSON", "Signatures", "Vendors"], fixtures: true),
        tests("JSONTests", ["JSON"]),
        tests("YAMLTests", ["YAML"]),
        tests("RulesTests", ["Addresses", "Rules", "Events", "JSON", "TimeZones", "YAML"]),
        tests("TimeZonesTests", ["TimeZones"]),
        tests("RehearsalTests", ["Events", "Ingest", "JSON", "Rehearsal", "Rules", "Vendors", "YAML"]),
        module("TestSupport", ["CCurl", "CRdKafka", "CZLIB", "HTTPTypes"]),
        tests("AddressesTests", ["Addresses"]),
        tests("HTTPClientTests", ["HTTPClient", "HTTPTypes", "Addresses", "TestSupport"]),
        tests("SQLiteTests", ["SQLite"]),
        .target(
            name: "SimulatedDisk", dependencies: ["CSQLite", "EventLog", "SQLite"], path: "Tests/Simulation/Disk",
            swiftSettings: settings),
        .target(
            name: "Simulation",
            dependencies: [
                "Delivery", "EventLog", "Events", "Logging", "Metrics", "Rules", "SQLite", "SimulatedDisk", "Targets",
                "YAML",
            ],
            path: "Tests/Simulation/World", swiftSettings: settings),
        .executableTarget(
            name: "gatehouse-simulate", dependencies: ["CMimalloc", "Simulation"], path: "Tests/Simulation/Command",
            swiftSettings: settings),
        tests("SimulationTests", ["EventLog", "Events", "SQLite", "SimulatedDisk", "Simulation"]),
        tests("KafkaTests", ["Addresses", "Kafka", "TestSupport"]),
        tests("EventLogTests", ["EventLog", "Events", "Kafka", "KafkaLog", "SQLite", "TestSupport", "Threads"]),
        tests(
            "KafkaLogTests",
            [
                "EventLog", "Events", "FieldPolicies", "JSON", "Kafka", "KafkaLog", "Logging", "SQLite", "TestSupport",
                "Vendors", "YAML",
            ]),
        tests(
            "KafkaDeliveryTests",
            [
                "Delivery", "EventLog", "Events", "JSON", "Kafka", "KafkaDelivery", "KafkaLog", "Logging", "Metrics",
                "Rules", "Targets", "TestSupport", "YAML",
            ]),
        tests(
            "DeliveryTests",
            [
                "Delivery", "EventLog", "Events", "HTTPClient", "HTTPTypes", "JSON", "Logging", "Metrics", "Rules",
                "SQLite", "Targets", "TestSupport", "YAML",
            ]),
        tests(
            "TargetsTests",
            [
                "Addresses", "Events", "HTTPClient", "HTTPTypes", "JSON", "Kafka", "Logging", "Signatures", "Targets",
                "TestSupport", "Vendors", "YAML",
            ]),
        tests("HTTPServerTests", ["Addresses", "HTTPServer", "HTTPTypes"]),
        tests("ProgramTests", ["COpenSSL", "Gatehouse", "HTTPTypes", "TestSupport"], fixtures: true),
        tests(
            "DocumentationTests",
            [
                "Configuration", "Console", "Cryptography", "Delivery", "EventLog", "Events", "Gatehouse", "HTTPClient",
                "HTTPServer", "HTTPTypes", "Ingest", "JSON", "Kafka", "Rules", "Signatures", "Targets", "TestSupport",
                "Vendors", "YAML",
            ]),
    ],
    cxxLanguageStandard: .cxx17
)
