extension IPAddress {
    /// 127.0.0.0/8 and ::1: nobody but this machine reaches it.
    package var isLoopback: Bool {
        let address = unmapped
        return address.isIPv4 ? address.bytes.first == 127 : address == IPAddress("::1")
    }
}
