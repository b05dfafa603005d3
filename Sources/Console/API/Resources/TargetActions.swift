extension APIResource {
    static let pause = action("pause", "sends nothing more to a target until it is resumed")
    static let resume = action("resume", "ends a pause, and what the target's own answer (410) switched off")
    static let forget = action("forget", "removes a target that is no longer configured, with all that is known of it")

    private static func action(_ name: String, _ summary: String) -> APIResource {
        APIResource(
            method: "POST", path: "targets/{name}/\(name)", summary: summary, details: "Audited.",
            result: .object("Done"), role: .operator, further: APIResource.conflict
        ) { request, records in
            let target = PercentEncoding.encode(request.pathValues["name"] ?? "")
            return try records.act("targets/\(target)/\(name)", request)
        }
    }
}
