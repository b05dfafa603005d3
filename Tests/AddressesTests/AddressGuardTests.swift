import Addresses
import Testing

@Suite struct AddressGuardTests {
    static let special = [
        ("127.0.0.1", "loopback"), ("127.255.255.254", "loopback"), ("10.1.2.3", "private"), ("172.16.0.1", "private"),
        ("172.31.255.255", "private"), ("192.168.1.1", "private"), ("169.254.169.254", "link-local"),
        ("100.64.0.1", "CGNAT"), ("224.0.0.1", "multicast"), ("239.255.255.255", "multicast"),
        ("255.255.255.255", "broadcast"), ("0.0.0.0", "unspecified"), ("0.1.2.3", "this network"),
        ("192.0.2.1", "documentation"), ("198.51.100.1", "documentation"), ("203.0.113.1", "documentation"),
        ("198.18.0.1", "benchmarking"), ("240.0.0.1", "reserved"), ("192.0.0.8", "reserved"),
        ("::", "unspecified"), ("::1", "loopback"), ("::ffff:127.0.0.1", "IPv4-mapped loopback"),
        ("::ffff:8.8.8.8", "IPv4-mapped"), ("::127.0.0.1", "IPv4-compatible loopback"),
        ("64:ff9b::8.8.8.8", "NAT64"), ("64:ff9b::10.0.0.1", "NAT64 private"), ("64:ff9b:1::808:808", "NAT64"),
        ("2002:808:808::1", "6to4"), ("2002:7f00:1::1", "6to4 loopback"), ("2001:0:4136:e378::f7f7:f7f7", "Teredo"),
        ("2001:0:4136:e378::80ff:fffe", "Teredo loopback"), ("2001:0:a00:1::f7f7:f7f7", "Teredo private"),
        ("2001:db8::1", "documentation"), ("3fff::1", "documentation"), ("fc00::1", "unique local"),
        ("fd12:3456::1", "unique local"), ("fe80::1", "link-local"), ("febf::1", "link-local"),
        ("fec0::1", "site-local"), ("ff02::1", "multicast"), ("100::1", "discard-only"), ("100:0:0:1::1", "reserved"),
        ("5f00::1", "reserved"), ("2001:1::1", "reserved"), ("2001:2::1", "benchmarking"), ("2001:3::1", "AMT"),
        ("2001:4:112::1", "AS112"), ("2001:20::1", "reserved"), ("2001:30::1", "reserved"),
        ("2620:4f:8000::1", "AS112"), ("192.31.196.1", "AS112"), ("192.175.48.1", "AS112"), ("192.52.193.1", "AMT"),
        ("192.88.99.1", "6to4 relay"), ("192.0.0.9", "reserved"), ("192.0.0.170", "reserved"),
        ("2606:4700::5efe:127.0.0.1", "ISATAP loopback"), ("2606:4700::200:5efe:10.0.0.1", "ISATAP private"),
        ("64:ff9b:1:7f00:0:100::", "NAT64 loopback"), ("64:ff9b:1:a00:0:100::", "NAT64 private"),
        ("64:ff9b:1:120a:0:1::", "NAT64 private"),
        ("4000::1", "reserved"), ("168.63.129.16", "Azure platform"), ("fd00:ec2::254", "unique local"),
        ("100.100.100.200", "CGNAT"), ("192.0.0.192", "reserved"),
        ("::ffff:168.63.129.16", "IPv4-mapped Azure platform"),
        ("2001:1::3", "reserved"), ("2001:0:7f00:1::1", "Teredo loopback"),
        ("2001:10::1", "reserved"), ("::ffff:0:8.8.8.8", "IPv4-translated"),
    ]

    @Test("A special address is refused and named for what it is", arguments: special)
    func refused(address: String, kind: String) throws {
        #expect(AddressGuard(allow: []).refusal(of: try #require(IPAddress(address))) == kind)
    }

    @Test(
        "A public address needs no permission",
        arguments: [
            "8.8.8.8", "1.1.1.1", "11.0.0.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1",
            "169.253.1.1", "223.255.255.255", "192.0.1.1", "198.20.0.1", "2606:4700::1111", "2003::1",
            "2001:4860::8888", "2606:4700::5efe:8.8.8.8", "192.31.195.1", "192.175.49.1", "2620:4f:8001::1",
            "168.63.129.15", "168.63.129.17",
        ])
    func permitted(address: String) throws {
        #expect(AddressGuard(allow: []).refusal(of: try #require(IPAddress(address))) == nil)
    }

    @Test(
        "A special address is permitted by the network that names it, and by no other",
        arguments: special.map(\.0).filter {
            !hidesAnother.contains($0)
        })
    func allowed(address: String) throws {
        let parsed = try #require(IPAddress(address))
        let own = IPNetwork(around: parsed, prefixLength: 128)
        #expect(AddressGuard(allow: [own]).refusal(of: parsed) == nil)
        let other = try #require(IPNetwork("10.99.0.0/16"))
        #expect(AddressGuard(allow: [other]).refusal(of: parsed) != nil)
    }

    /// Those with a refused IPv4 address inside, which must be named too.
    private static let hidesAnother = Set(
        special.filter { (address, kind) in
            address.hasPrefix("::ffff")
                || ["IPv4-", "NAT64 ", "6to4 l", "Teredo ", "ISATAP "].contains(where: kind.hasPrefix)
                    && kind != "IPv4-translated"
        }.map(\.0))

    @Test(
        "An IPv4 address hidden in an IPv6 one must be permitted itself",
        arguments: [
            ("::ffff:127.0.0.1", ["127.0.0.0/8"], true), ("::ffff:127.0.0.1", ["::/0"], false),
            ("::ffff:127.0.0.1", ["::ffff:0:0/96"], false), ("::ffff:8.8.8.8", ["::ffff:0:0/96"], true),
            ("::ffff:8.8.8.8", ["8.8.8.8/32"], true), ("::ffff:8.8.8.8", ["127.0.0.0/8"], false),
            ("64:ff9b::10.0.0.1", ["64:ff9b::/96"], false),
            ("64:ff9b::10.0.0.1", ["64:ff9b::/96", "10.0.0.0/8"], true),
            ("64:ff9b::10.0.0.1", ["10.0.0.0/8"], false), ("2002:7f00:1::1", ["2002::/16"], false),
            ("2002:7f00:1::1", ["2002::/16", "127.0.0.1"], true),
            ("2001:0:4136:e378::80ff:fffe", ["2001::/32"], false),
            ("2001:0:4136:e378::80ff:fffe", ["2001::/32", "127.0.0.1"], true),
            ("2001:0:4136:e378::f7f7:f7f7", ["2001::/32"], true),
            ("2606:4700::5efe:127.0.0.1", ["2606:4700::/32"], false),
            ("2606:4700::5efe:127.0.0.1", ["127.0.0.0/8"], true),
            ("64:ff9b:1:7f00:0:100::", ["64:ff9b:1::/48"], false),
            ("64:ff9b:1:808:8:800::", ["64:ff9b:1::/48"], true), ("64:ff9b:1::808:808", ["64:ff9b:1::/48"], true),
        ])
    func embedded(address: String, allow: [String], expected: Bool) throws {
        let allowed = AddressGuard(allow: allow.compactMap { IPNetwork($0) })
        #expect((allowed.refusal(of: try #require(IPAddress(address))) == nil) == expected)
    }

    @Test(
        "The line to add permits the address it was printed for, and names nothing that is allowed already",
        arguments: [
            ("127.0.0.1", [], "127.0.0.1/32"), ("::ffff:127.0.0.1", [], "127.0.0.1/32"),
            ("fd00::1", ["10.0.0.0/8"], "fd00::1/128"), ("64:ff9b::127.0.0.1", [], "64:ff9b::7f00:1/128, 127.0.0.1/32"),
            ("64:ff9b::127.0.0.1", ["64:ff9b::/96"], "127.0.0.1/32"),
            ("64:ff9b::127.0.0.1", ["127.0.0.0/8"], "64:ff9b::7f00:1/128"), ("::127.0.0.1", ["::/96"], "127.0.0.1/32"),
            ("2606:4700::5efe:10.0.0.1", [], "10.0.0.1/32"),
        ])
    func suggestion(address: String, allow: [String], expected: String) throws {
        let parsed = try #require(IPAddress(address))
        let networks = allow.compactMap { IPNetwork($0) }
        #expect(AddressGuard(allow: networks).suggestion(for: parsed) == "allow: [\(expected)]")
        let added = expected.split(separator: ", ").compactMap { IPNetwork(String($0)) }
        #expect(AddressGuard(allow: networks + added).refusal(of: parsed) == nil)
    }

    @Test("The line to add permits every special address", arguments: special.map(\.0))
    func everySuggestion(address: String) throws {
        let parsed = try #require(IPAddress(address))
        let line = AddressGuard().suggestion(for: parsed)
        let networks = line.dropFirst("allow: [".count).dropLast().split(separator: ", ")
        #expect(AddressGuard(allow: networks.compactMap { IPNetwork(String($0)) }).refusal(of: parsed) == nil)
    }

    @Test("A kind of address is spoken of in English")
    func articles() {
        for (kind, article) in [
            ("loopback", "a"), ("IPv4-mapped private", "an"), ("AS112", "an"), ("AMT", "an"), ("unspecified", "an"),
            ("unique local", "a"), ("6to4", "a"), ("ISATAP loopback", "an"), ("Azure platform", "an"),
        ] {
            #expect(AddressGuard.article(kind) == article, "\(kind)")
        }
    }
}

@Suite struct TrustedProxiesTests {
    static let proxies = TrustedProxies(["10.0.0.0/8", "fd00::/8"].compactMap { IPNetwork($0) })

    @Test(
        "The forwarded list is believed from the right, as far as trusted proxies wrote it",
        arguments: [
            ("203.0.113.5", ["198.51.100.7"], "203.0.113.5"),
            ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", ["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", ["1.1.1.1, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", ["1.1.1.1", "198.51.100.7,10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", ["unknown"], "10.0.0.1"),
            ("10.0.0.1", ["198.51.100.7, unknown, 10.0.0.2"], "10.0.0.1"),
            ("10.0.0.1", ["unknown, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", ["198.51.100.7,"], "10.0.0.1"),
            ("10.0.0.1", ["198.51.100.7:4711"], "198.51.100.7"),
            ("10.0.0.1", ["198.51.100.7:x"], "10.0.0.1"),
            ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
            ("10.0.0.1", ["[2001:db8::7]"], "2001:db8::7"),
            ("10.0.0.1", ["[198.51.100.7]"], "10.0.0.1"),
            ("10.0.0.1", ["2001:db8::7"], "2001:db8::7"),
            ("10.0.0.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", ["0198.51.100.7"], "10.0.0.1"),
        ])
    func walk(peer: String, forwardedFor: [String], expected: String) throws {
        let client = Self.proxies.client(peer: try #require(IPAddress(peer)), forwardedFor: forwardedFor)
        #expect(client.description == expected)
    }
}
