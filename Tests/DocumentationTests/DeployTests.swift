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
}

enum Tool {
    static func isThere(_ name: String) -> Bool {
        ["/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin"].contains { folder in
            FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)")
        }
    }
}
