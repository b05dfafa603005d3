import Configuration
import Foundation
import Rules
import TestSupport
import Testing
import YAML

/// What `deploy/` holds.
@Suite("The files to deploy") struct DeployTests {
    private static let values = [
        "SIEM_ADDRESS": "tcp://127.0.0.1:1", "CRM_URL": "http://127.0.0.1:1/", "PARTNER_URL": "http://127.0.0.1:1/",
        "PARTNER_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "CRM_TOKEN": "t", "LONDON_SECRET": "s",
        "SYDNEY_KEY": "s", "GUESTS_TOKEN": "s", "FACES_SECRET": "s", "LOBBY_SECRET": "s",
    ]

    @Test("the example configuration passes check, with its secrets without a warning")
    func example() throws {
        let file = Project.path("deploy/gatehouse.yaml")
        let (complete, problems) = ConfigurationLoader(purpose: .running, environment: { Self.values[$0] }).load(file)
        #expect(problems.isEmpty, "\(problems)")
        #expect((complete?.routes.routes.count ?? 0) > 0)
        let (bare, warnings) = ConfigurationLoader(purpose: .checking, environment: { _ in nil }).load(file)
        #expect(bare != nil && warnings.all.allSatisfy { $0.message.contains("is not set") }, "\(warnings)")
        let shell = try Shell()
        let (status, output) = try shell.run("gatehouse check -c \(file)")
        #expect(status == 0, "\(output)")
    }

    @Test("the unit starts what is installed, restarts it when it fails, and gives it no rights")
    func unit() throws {
        let lines = try Project.text("deploy/gatehouse.service").split(separator: "\n").map(String.init)
        let settings = Dictionary(
            lines.compactMap { line -> (String, String)? in
                guard !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { return nil }
                return (String(line[..<equals]), String(line[line.index(after: equals)...]))
            }, uniquingKeysWith: { $0 + " " + $1 })
        #expect(settings["ExecStart"] == "/usr/local/bin/gatehouse run -c /etc/gatehouse/gatehouse.yaml")
        #expect(settings["ExecReload"]?.contains("-HUP $MAINPID") == true)
        #expect(settings["RestartPreventExitStatus"] == "78")
        #expect(settings["StateDirectory"] == "gatehouse" && settings["WorkingDirectory"] == "/var/lib/gatehouse")
        #expect(settings["WantedBy"] == "multi-user.target")
        let required = [
            "DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes",
            "PrivateTmp": "yes", "PrivateDevices": "yes", "MemoryDenyWriteExecute": "yes", "CapabilityBoundingSet": "",
            "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX", "SystemCallFilter": "@system-service",
            "UMask": "0077",
        ]
        for (key, value) in required { #expect(settings[key] == value, "\(key)") }
    }

    @Test("systemd finds nothing wrong with the unit", .enabled(if: Tool.isThere("systemd-analyze")))
    func verifiedUnit() throws {
        let shell = try Shell()
        let unit = try Project.text("deploy/gatehouse.service")
        try shell.write("gatehouse.service", unit.replacing("/usr/local/bin/gatehouse", with: "/bin/true"))
        let (status, output) = try shell.run("systemd-analyze verify --man=no ./gatehouse.service")
        #expect(status == 0 && !output.contains("gatehouse.service"), "\(output)")
    }

    @Test("the image has the libraries the program needs, and no others", .enabled(if: Tool.isThere("dpkg-query")))
    func image() throws {
        let dockerfile = try Project.text("deploy/Dockerfile")
        let run = try #require(dockerfile.firstMatch(of: /apt-get install -y --no-install-recommends ([^&]*)&&/)).1
        let packages = Set(run.split { $0.isWhitespace || $0 == "\\" }.map(String.init))
        let shell = try Shell()
        // The program's own libraries, not theirs.
        let needed = try shell.run(
            "objdump -p \"$(readlink -f \"$(command -v gatehouse)\")\" | awk '/NEEDED/ {print $2}'")
        #expect(needed.status == 0, "\(needed.output)")
        let ofSwift = ["libswift", "lib_", "libdispatch", "libBlocksRuntime", "libFoundation"]
        var wanted: Set<String> = []
        for library in needed.output.split(separator: "\n").map(String.init)
        where !ofSwift.contains(where: library.hasPrefix) {
            let owner = try shell.run("dpkg-query -S '*/\(library)' | head -1 | cut -d: -f1")
            let package = owner.output.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(!package.isEmpty, "nobody owns \(library)")
            // The base image has these two.
            if !["libc6", "libgcc-s1"].contains(package) { wanted.insert(package) }
        }
        #expect(wanted.count > 5)
        #expect(packages == wanted.union(["ca-certificates", "tzdata"]))
    }

    @Test("the compose file builds this image and keeps the data")
    func compose() throws {
        let text = try Project.text("deploy/compose.yaml")
        let root = try #require(try parseYAML(Array(text.utf8), file: "compose.yaml"))
        let service = try #require(root["services"]?["gatehouse"])
        let build = try #require(service["build"])
        let context = URL(filePath: Project.path("deploy")).appending(path: build["context"]?.scalar?.text ?? "")
        let dockerfile = context.appending(path: build["dockerfile"]?.scalar?.text ?? "").standardizedFileURL.path
        #expect(dockerfile == Project.path("deploy/Dockerfile"))
        let volumes = service["volumes"]?.elements?.compactMap { $0.scalar?.text } ?? []
        #expect(volumes.contains("data:/data") && root["volumes"]?["data"] != nil)
        #expect(service["read_only"]?.scalar?.text == "true")
        #expect(dockerfile.isEmpty == false && text.contains("127.0.0.1:8081:8081"))
    }

    @Test("the compose file with Kafka gives each of two instances a volume, and names the balancer's file")
    func composeWithKafka() throws {
        let text = try Project.text("deploy/compose-kafka.yaml")
        // The reader of configurations takes no anchors; Compose does.
        let plain = text.replacing("&gatehouse", with: "").replacing("    <<: *gatehouse\n", with: "")
        let root = try #require(try parseYAML(Array(plain.utf8), file: "compose-kafka.yaml"))
        let services = try #require(root["services"]?.entries)
        let image = try #require(root["services"]?["kafka"]?["image"]?.scalar?.text)
        #expect(image.wholeMatch(of: /apache\/kafka:\d+\.\d+\.\d+/) != nil, "the image is of one version")
        let instances = services.filter { $0.name.hasPrefix("gatehouse-") }
        #expect(instances.count == 2 && text.matches(of: /<<: \*gatehouse/).count == 2)
        var volumes: Set<String> = []
        for instance in instances {
            #expect(instance.value["hostname"]?.scalar?.text == instance.name)
            let mounted = instance.value["volumes"]?.elements?.compactMap { $0.scalar?.text } ?? []
            let data = try #require(mounted.first { $0.hasSuffix(":/data") })
            #expect(volumes.insert(data).inserted, "\(data) is of one instance only")
            #expect(root["volumes"]?[String(data.dropLast(":/data".count))] != nil)
        }
        let shared = try #require(root["x-gatehouse"])
        #expect(shared["build"]?["dockerfile"]?.scalar?.text == "deploy/Dockerfile")
        #expect(shared["read_only"]?.scalar?.text == "true")
        #expect(text.contains("./nginx.conf:/etc/nginx/nginx.conf:ro"))
        let comment = text.matches(of: /(?m)^#   (.*)$/).map { String($0.1) }.joined(separator: "\n")
        let folder = TemporaryDirectory()
        let file = try folder.write("gatehouse.yaml", comment + "\nsources: {}\n")
        let (configuration, problems) = ConfigurationLoader(purpose: .running).load(file)
        #expect(problems.isEmpty && configuration?.log.kafka?.brokers == ["kafka:9092"], "\(problems)")
    }

    @Test("nginx takes the balancer's file", .enabled(if: Tool.isThere("nginx")))
    func balancer() throws {
        let shell = try Shell()
        let text = try Project.text("deploy/nginx.conf")
        #expect(text.contains("gatehouse-1:8080") && text.contains("gatehouse-2:8080"))
        // Names of containers have addresses only beside them.
        let local = text.replacing(/gatehouse-\d:8080/, with: "127.0.0.1:8080")
        try shell.write("nginx.conf", "pid \(shell.path("nginx.pid"));\nerror_log stderr;\n" + local)
        let (status, output) = try shell.run("nginx -t -p \(shell.path("")) -c \(shell.path("nginx.conf"))")
        #expect(status == 0, "\(output)")
    }

    private static let manifests = ["configuration", "disruption", "instances", "services"]

    @Test("the page lists every manifest")
    func manifests() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Project.path("deploy/kubernetes"))
        #expect(files.sorted() == Self.manifests.map { $0 + ".yaml" })
        let rows = try Page("docs/operations.md").table("Kubernetes", "file").rows
        for file in files { #expect(rows.contains { $0[0].contains("[\(file)]") }, "\(file)") }
    }

    @Test("the manifests are as Kubernetes wants them", .enabled(if: PythonEnvironment.isAvailable))
    func validManifests() throws {
        let validator = PythonEnvironment.program("kubernetes-validate")
        let shell = try Shell()
        let files = Self.manifests.map { Project.path("deploy/kubernetes/\($0).yaml") }.joined(separator: " ")
        let (status, output) = try shell.run("\(validator) --strict \(files)")
        #expect(status == 0, "\(output)")
        #expect(output.matches(of: /passed for resource/).count == 5, "\(output)")
        // It has to find what is wrong.
        let wrong = try Project.text("deploy/kubernetes/instances.yaml").replacing("replicas: 2", with: "replikas: 2")
        try shell.write("wrong.yaml", wrong)
        #expect(try shell.run("\(validator) --strict wrong.yaml").status != 0)
    }

    @Test("the manifests' configuration passes check, and the instances fit it")
    func manifestConfiguration() throws {
        let map = try #require(try Self.documents("configuration").first)
        let folder = TemporaryDirectory()
        for entry in map["data"]?.entries ?? [] { _ = try folder.write(entry.name, entry.value.scalar?.text ?? "") }
        let values = [
            "POD_NAME": "gatehouse-0", "LONDON_SECRET": "s", "PARTNER_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ]
        let loader = ConfigurationLoader(purpose: .running, environment: { values[$0] })
        let (loaded, problems) = loader.load(folder.file("gatehouse.yaml"))
        let configuration = try #require(loaded, "\(problems)")
        #expect(problems.isEmpty, "\(problems)")
        #expect(configuration.log.kafka?.instance == "gatehouse-0")
        #expect("\(configuration.listen.address)".hasSuffix(":8080"))
        #expect("\(configuration.console)".hasSuffix(":8081"))

        let set = try #require(try Self.documents("instances").first)
        let pod = try #require(set["spec"]?["template"]?["spec"])
        let container = try #require(pod["containers"]?.elements?.first)
        let grace = pod["terminationGracePeriodSeconds"]?.scalar.flatMap { Int($0.text) } ?? 0
        #expect(Duration.seconds(grace) > configuration.shutdown + .seconds(10))
        for (probe, path) in [
            ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz"), ("startupProbe", "/healthz"),
        ] {
            #expect(container[probe]?["httpGet"]?["path"]?.scalar?.text == path)
        }
        let mounts = container["volumeMounts"]?.elements?.compactMap { $0["mountPath"]?.scalar?.text } ?? []
        #expect(mounts.contains { configuration.dataFolder.hasPrefix($0 + "/") }, "made private below the volume")
        #expect(set["spec"]?["volumeClaimTemplates"]?.elements?.count == 1)
        let arguments = container["args"]?.elements?.compactMap { $0.scalar?.text }
        #expect(arguments == ["run", "-c", "/etc/gatehouse/gatehouse.yaml"])
    }

    /// The documents of a manifest.
    private static func documents(_ name: String) throws -> [YAMLNode] {
        try Project.text("deploy/kubernetes/\(name).yaml").components(separatedBy: "\n---\n").compactMap {
            try parseYAML(Array($0.utf8), file: name)
        }
    }
}

enum Tool {
    static func isThere(_ name: String) -> Bool {
        ["/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin"].contains { folder in
            FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)")
        }
    }
}
