import Events

/// Netgraph's catalogue. Its page names the events but not their members; these have the ones we look for.
enum NetgraphSamples {
    static let events: [VendorEvent] =
        [
            session("created", .sessionCreated), session("resumed", .sessionResumed),
            session("requested", .sessionRequested), session("approved", .sessionApproved),
            session("verified", .sessionVerified), session("denied", .sessionDenied),
            session("revoked", .sessionRevoked),
        ] + [
            device("signin.arenasession.login", .arenaLogin), device("signin.arenasession.resumed", .arenaResumed),
            device("signin.dhcp.granted", .dhcpGranted), device("signin.dhcp.expired", .dhcpExpired),
        ] + [
            event(
                "signin.configuration.audit", .configurationAudited,
                """
                "user":{"id":"u-77","name":"Morgan Lee","email":"morgan.lee@example.com"},
                "object":"AccessPolicy","field":"maxDevices","before":3,"after":5
                """)
        ]

    private static func session(_ state: String, _ type: CanonicalType) -> VendorEvent {
        event(
            "signin.session.\(state)", type,
            """
            "session":{"id":"8d0c6f2e-5b1a-4e3f-9c77-1f2e3d4c5b6a","state":"\(state)"},
            "device":{"mac":"02:00:5e:10:00:01"},"ip":"192.0.2.17","hostname":"guest-phone",
            "guest":{"id":"g-4411","name":"Robin Berg","email":"robin.berg@example.com","phone":"+46700000001",
            "company":"Acme AB"},"host":{"id":"h-9","name":"Kim Holm","email":"kim.holm@example.com"}
            """, identifiers: ["/id", "/session/id"])
    }

    private static func device(_ name: String, _ type: CanonicalType) -> VendorEvent {
        event(
            name, type,
            """
            "sessionId":"8d0c6f2e-5b1a-4e3f-9c77-1f2e3d4c5b6a","macAddress":"02:00:5e:10:00:01","ipAddress":"192.0.2.17",
            "hostname":"guest-phone"
            """, identifiers: ["/id", "/sessionId"])
    }

    private static func event(
        _ name: String, _ type: CanonicalType, _ members: String, identifiers: [String] = ["/id"]
    ) -> VendorEvent {
        VendorEvent(
            name, type, identifiers: identifiers, times: ["/timestamp"],
            sample: """
                {"type":"\(name)","id":"e3b7c1d2-6a5f-4c0e-8b9d-0f1e2d3c4b5a","timestamp":"2024-07-30T01:49:27.069Z",
                "organization":{"id":"org-3","name":"Acme AB"},"context":{"id":"ctx-21","name":"Stockholm Arena"},
                \(members)}
                """)
    }
}
