extension APIResource {
    static let pause = action("pause", "sends nothing more to a target until it is resumed")
    static let resume = action("resume", "ends a pause, and what the target's own answer (410) switched off")
    static let forget = action("forget", "removes a target that is no longer configured, with all that is known of it")

    static let test = APIResource(
        method: "POST", path: "targets/{name}/test",
        summary: "sends a marked sample to a target and tells what came back",
        details: "A sample of type system.target_test goes straight to the target as it is configured, though it is "
            + "paused or waits. It is counted nowhere. Secrets are masked. Audited.",
        result: .object("TargetTest"), role: .operator, further: APIResource.conflict
    ) { request, records in
        let target = request.pathValues["name"] ?? ""
        return .later { done in
            guard let desk = records.desk else { return done(.failure(APIProblem.notFound())) }
            desk.test(target, by: request.caller.name) { done(.success(.response($0))) }
        }
    }

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
