import Events

/// Envoy's events with the attributes its payloads are known to have, and made-up people.
enum EnvoySamples {
    static let events: [VendorEvent] =
        [
            entry("entry_sign_in", .visitorSignin, signedOut: "null", status: "approved"),
            entry("entry_sign_out", .visitorSignout, signedOut: "\"2024-01-15 11:45:00 UTC\"", status: "approved"),
            entry(
                "entry_blacklist_review", .visitorWatchlistReview,
                aliases: ["entry_block_list_review", "entry_screened"], signedOut: "null", status: "review"),
            entry(
                "entry_blacklist_deny", .visitorWatchlistDenied, aliases: ["entry_block_list_deny"], signedOut: "null",
                status: "denied"),
            invite("invite_created", .invitationCreated),
            invite("invite_updated", .invitationUpdated),
            invite("invite_removed", .invitationDeleted),
            invite("upcoming_visit", .other),
            invite("qr_code_sent", .other),
        ]
        + [
            "employee_sign_in", "employee_sign_out", "employee_blacklist_review", "employee_blacklist_deny",
            "location_capacity_updated", "desk_sign_in", "ticket_created",
        ].map(plain)

    private static func entry(
        _ name: String, _ type: CanonicalType, aliases: [String] = [], signedOut: String, status: String
    ) -> VendorEvent {
        VendorEvent(
            name, type, aliases: aliases, identifiers: ["/meta/job/id", "/payload/id"],
            times: ["/payload/attributes/signed-in-at", "/payload/attributes/signed-out-at"],
            sample: """
                {"meta":\(meta(name)),
                "payload":{"id":"98765432","type":"entries","attributes":{
                "full-name":"Priya Raman","phone-number":"+14155550134","email":"priya.raman@example.com",
                "employee-screening-flow":false,"host":"Sam Okafor","host-email":"sam.okafor@example.com",
                "private-notes":"Regular courier","signed-in-at":"2024-01-15 10:30:00 UTC","signed-out-at":\(signedOut),
                "thumbnails":{"large":"https://envoy.example/l.jpg","original":null,"small":"https://envoy.example/s.jpg"},
                "flow-name":"Visitor","nda":null,"legal-docs":[],
                "user-data":[{"field":"Purpose of visit","value":"Delivery"},{"field":"Badge","value":17}],
                "approval-status":{"status":"\(status)","auto-approved":true,"report":[]}},
                "relationships":{"location":{"data":{"id":"12","type":"locations"}},
                "device":{"data":{"id":"551","type":"devices"}},
                "invite":{"data":{"id":"7001","type":"invites"}},
                "flow":{"data":{"id":"33","type":"flows"}},"agreeable-ndas":{"data":[]}}}}
                """)
    }

    private static func invite(_ name: String, _ type: CanonicalType) -> VendorEvent {
        VendorEvent(
            name, type, identifiers: ["/meta/job/id", "/payload/id"],
            sample: """
                {"meta":\(meta(name)),
                "payload":{"id":"7001","type":"invites","attributes":{
                "full-name":"Priya Raman","email":"priya.raman@example.com","flow-name":"Visitor",
                "host":"Sam Okafor","host-email":"sam.okafor@example.com","private-notes":"Prefers the side door"},
                "relationships":{"location":{"data":{"id":"12","type":"locations"}}}}}
                """)
    }

    private static func plain(_ name: String) -> VendorEvent {
        VendorEvent(
            name, .other, identifiers: ["/meta/job/id", "/payload/id"],
            sample: """
                {"meta":\(meta(name)),"payload":{"id":"4410","type":"records","attributes":{"name":"Acme"}}}
                """)
    }

    private static func meta(_ event: String) -> String {
        """
        {"event":"\(event)","plugin_id":"204","install_id":"3088","config":{},"job":{"id":"b1a5c0de-22f4-4c19-9f0e-6d3a7e5f1b2c"},
        "location":{"id":"12","type":"locations","attributes":{"name":"Main Lobby","timezone":"America/New_York"}},
        "company":{"id":"5","type":"companies","attributes":{"name":"Acme Inc"}}}
        """
    }
}
