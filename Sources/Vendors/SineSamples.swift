import Events

/// What Sine's page shows of each event, in one line each, with made-up people.
enum SineSamples {
    static let events: [VendorEvent] = [
        VendorEvent(
            "signin_before", .visitorSigninRequested, identifiers: ["/data/mobile"], times: ["/date"],
            sample: """
                {"event":"signin_before","date":"2024-07-30T01:43:34Z",
                "data":{\(person),"inviteId":null,"company":"Acme Co",\(place)},
                "externalId":"abc-123"}
                """),
        VendorEvent(
            "signin_after", .visitorSignin, identifiers: ["/data/id"], times: ["/date", "/data/startDate"],
            sample: """
                {"event":"signin_after","date":"2024-07-30T01:53:08Z",
                "data":{"id":"6efe4bff-81d5-4d0b-91e8-c768bc03db5f",
                "startDate":"2024-07-30T01:49:27.069Z","expiresDate":"2024-07-30T09:49:27.069Z",
                \(person),"mobileVerified":false,"emailVerified":false,
                "photoURL":"https://sine.example/profile-picture","status":"active","autoExpired":false,
                \(forms),"inviteId":null,\(host),"company":"Acme Co",\(place)},
                "externalId":"abc-123"}
                """),
        VendorEvent(
            "signin_rejected", .visitorRejected, identifiers: ["/data/id"], times: ["/date", "/data/startDate"],
            sample: """
                {"event":"signin_rejected","date":"2022-08-26T00:51:04Z",
                "data":{"id":"fe9e32c4-a635-4059-a013-bcc85e8c1e80",
                "startDate":"2022-08-26T00:51:03.895Z","expiresDate":"2022-08-26T00:51:03.895Z",
                \(person),"mobileVerified":false,"emailVerified":false,
                "photoURL":null,"status":"rejected","autoExpired":false,
                \(forms),"inviteId":null,"company":"Acme Co",\(place),
                "rejectionReasons":[{"name":"Workflow integration",
                "reason":"We couldn't find a valid Workflow response. We've sent you an SMS or email with more information."}]},
                "externalId":"abc-123"}
                """),
        VendorEvent(
            "signout_after", .visitorSignout, identifiers: ["/data/id"],
            times: ["/date", "/data/startDate", "/data/expiresDate"],
            sample: """
                {"event":"signout_after","date":"2024-07-30T01:55:11Z",
                "data":{"id":"60f2f816-886d-4f22-9af4-c056920220f7",
                "startDate":"2024-07-30T01:49:27.069Z","expiresDate":"2024-07-30T01:55:11.012Z",
                \(person),"mobileVerified":false,"emailVerified":false,
                "photoURL":null,"status":"expired","autoExpired":false,
                \(forms),"inviteId":null,\(host),"company":"Acme Co",\(place)},
                "externalId":"abc-123"}
                """),
        invitation("invitation_created", .invitationCreated),
        invitation("invitation_updated", .invitationUpdated),
        invitation("invitation_deleted", .invitationDeleted),
    ]

    private static func invitation(_ name: String, _ type: CanonicalType) -> VendorEvent {
        VendorEvent(
            name, type, identifiers: ["/inviteId"], times: ["/date"],
            sample: """
                {"event":"\(name)","inviteId":"7f1460df-7d59-4088-b28e-b3738260e782",
                "date":"2024-07-30T01:56:57Z","externalId":"abc-123","adminNotes":"",
                \(host),\(place),
                "user":{"id":"74d0ce62-af4d-4f43-b9a2-18ce16a7ca63","firstName":"Alex","lastName":"Kim",
                "email":"alex.kim@example.com"},
                "visitorInfo":{\(person),"company":"Acme Co","subject":"webhook",
                "startDate":"2024-07-30T02:30:00.000Z","endDate":"2024-07-30T03:30:00.000Z",
                "validFrom":"2024-07-30T02:15:00.000Z","validTo":"2024-07-30T03:30:00.000Z",
                "guestMessage":"","fastTrackCode":123456}}
                """)
    }

    private static let person =
        #""firstName":"Jane","lastName":"Doe","email":"jane.doe@example.com","mobile":"+61400000000""#

    private static let place = """
        "site":{"id":"fb8c6a41-990f-49d3-a5a6-8dba8ae4b075","name":"Acme Corp","timezone":"Australia/Adelaide"},
        "visitorType":{"id":"d77d4e33-5532-4666-a1ae-e059afd96a48","name":"Visitor"}
        """

    private static let host = """
        "host":{"id":"efc62530-22b8-4415-a53a-8ae760f2c941","email":"john.doe@example.com","mobile":"+61400000001",
        "company":null,"lastName":"Doe","photoURL":null,"firstName":"John",
        "hostGroup":"c0566aee-3ccd-4f04-9a8c-85e50a2f9f61","hostGroupName":"Reception Staff"}
        """

    private static let forms = """
        "formResponses":{"id":"d77d4e33-5532-4666-a1ae-e059afd96a48","responses":[
        {"id":"00e37f14-7b22-40bd-9be6-cc3b1b35c10e","type":"multiplechoice","value":"Contractor Works"},
        {"id":"30db22b9-97f0-4a2c-a673-90430c45ea4a","type":"booleanSwitch","value":true}],
        "prefillDate":"2024-07-30T01:49:27.085Z"},"formResponsesSignOut":null
        """
}
