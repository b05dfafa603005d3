import Addresses
import Testing

@Suite struct IPAddressTests {
    @Test(
        "An address is printed in its canonical form",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("::ffff:c000:201", "::ffff:192.0.2.1"),
            ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ])
    func canonical(text: String, expected: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == expected)
        #expect(IPAddress(expected) == address)
        #expect(IPAddress(bytes: address.bytes) == address)
    }

    @Test(
        "A form that others might read differently is refused",
        arguments: [
            "", "127.1", "127.0.1", "2130706433", "0177.0.0.1", "0x7f.0.0.1", "127.0.0.01", "127.0.0.1.", "1.2.3.4.5",
            "256.0.0.1", "1.2.3.-4", " 127.0.0.1", "127.0.0.1 ", "127.0.0.1\0", "１２７.0.0.1", "1..2.3",
            ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
            ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "12345::", "g::", "fe80::1%eth0", "[::1]", "::1.2.3", "1.2.3.4::",
            "::1.2.3.4:5", "::01.2.3.4", "::ffff:256.0.0.1", "1:2:3:4:5:6:7:1.2.3.4",
        ])
    func refused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("Only the IPv4-mapped form is unmapped")
    func unmapping() throws {
        #expect(try #require(IPAddress("::ffff:10.0.0.1")).unmapped == IPAddress("10.0.0.1"))
        #expect(try #require(IPAddress("::10.0.0.1")).unmapped == IPAddress("::10.0.0.1"))
        #expect(try #require(IPAddress("1::ffff:10.0.0.1")).unmapped.isIPv4 == false)
    }

    @Test("Bytes are 4 or 16 in network order")
    func bytes() throws {
        #expect(try #require(IPAddress("1.2.3.4")).bytes == [1, 2, 3, 4])
        #expect(
            try #require(IPAddress("102:304:506:708:90a:b0c:d0e:f10")).bytes
                == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
        #expect(IPAddress(bytes: [1, 2, 3]) == nil)
    }
}

@Suite struct IPNetworkTests {
    @Test(
        "A network holds the addresses of its prefix and no others",
        arguments: [
            ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false),
            ("0.0.0.0/0", "203.0.113.1", true), ("0.0.0.0/0", "::1", false), ("::/0", "1.2.3.4", false),
            ("::/0", "ffff::", true), ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.128/25", "192.0.2.127", false), ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::", false), ("2001:db8:0:8000::/65", "2001:db8:0:8000:7fff::", true),
            ("2001:db8:0:8000::/65", "2001:db8:0:8000:8000::", false), ("::1/128", "::1", true), ("::1", "::2", false),
            ("2001:db8:1:2::/64", "2001:db8:1:2:ffff:ffff:ffff:ffff", true),
            ("10.0.0.0/8", "::ffff:10.0.0.1", false),
        ])
    func containment(network: String, address: String, expected: Bool) throws {
        #expect(try #require(IPNetwork(network)).contains(try #require(IPAddress(address))) == expected)
    }

    @Test(
        "A network with a slip in it is refused",
        arguments: [
            "", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/8/8", "10/8", "x",
        ])
    func refused(text: String) {
        #expect(IPNetwork(text) == nil)
        #expect(IPNetwork.nearest(to: text) == nil)
    }

    @Test(
        "Bits beyond the prefix are refused, and the network meant is named",
        arguments: [("10.1.2.3/8", "10.0.0.0/8"), ("2001:db8::1/32", "2001:db8::/32"), ("1.2.3.4/0", "0.0.0.0/0")])
    func hostBits(text: String, meant: String) {
        #expect(IPNetwork(text) == nil)
        #expect(IPNetwork.nearest(to: text)?.description == meant)
    }
}
