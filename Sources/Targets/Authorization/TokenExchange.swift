import HTTPClient
import HTTPTypes
import JSON

/// What a token endpoint was last asked and what it answered, for people to look at: no secret and no token is in it.
struct TokenExchange: Sendable {
    var destination: String
    var headers: [TargetRendition.Header]
    /// The form that was posted, with `***` in the place of what may be a secret.
    var form: [UInt8]
    /// Nil: there was no answer.
    var status: Int?
    /// JSON: those members of the answer that are no token. Empty: there was no answer, or it is no JSON object.
    var answer: [UInt8] = []
    /// The first line of `error_description`, which says more than its few codes do; nil: there is none.
    var explanation: String?
    /// From the request to the end of the answer.
    var duration: Duration
    /// When the answer was there.
    var endedAt: ContinuousClock.Instant

    /// Fields of the form that anybody may see.
    private static let plainFields: Set<String> = [
        "audience", "client_assertion_type", "client_id", "grant_type", "resource", "scope",
    ]
    /// Members of the answer that anybody may see (RFC 6749, sections 5.1 and 5.2).
    private static let plainMembers = ["error", "error_description", "error_uri", "expires_in", "scope", "token_type"]
    /// Bytes of a member that are shown.
    private static let maximumMember = 1024
    /// Characters of an explanation.
    private static let maximumExplanation = 300

    init(
        _ request: HTTPClientRequest, _ result: Result<HTTPClientResponse, TransportFailure>,
        _ settings: OAuthSettings, endedAt: ContinuousClock.Instant
    ) {
        destination = settings.endpoint.display
        headers = request.headers.fields.map { field in
            TargetRendition.Header(
                name: field.name, value: TargetRendition.isHarmless(field.name) ? field.value : "***")
        }
        var secrets = [settings.credential.secret].compactMap(\.self)
        secrets += request.headers.fields.filter { !TargetRendition.isHarmless($0.name) }
            .flatMap { $0.value.split(separator: " ").map(String.init) }
        var form: [UInt8] = []
        for (name, value) in FormEncoding.fields(request.body) {
            if Self.plainFields.contains(name) {
                FormEncoding.append(name, value.utf8, to: &form)
            } else {
                if !form.isEmpty { form.append(UInt8(ascii: "&")) }
                form += Array("\(FormEncoding.encoded(name))=***".utf8)
                secrets.append(value)
            }
        }
        self.form = form
        self.endedAt = endedAt
        switch result {
        case .success(let response):
            status = response.status
            duration = response.duration
            if let shown = Self.shown(response, hiding: secrets) {
                answer = shown.json
                explanation = shown.explanation
            }
        case .failure(let failure): duration = failure.duration
        }
    }

    private static func shown(
        _ response: HTTPClientResponse, hiding secrets: [String]
    ) -> (json: [UInt8], explanation: String?)? {
        guard !response.isTruncated, let tape = try? JSONParser(maximumDepth: 64).parse(response.body),
            tape.kind(tape.root) == .object
        else { return nil }
        let tokens = tape.members(tape.root).filter { !plainMembers.contains(tape.text($0.key) ?? "") }
            .compactMap { tape.text($0.value) }
        let mask = SecretMask(secrets + secrets.map(FormEncoding.encoded) + tokens)
        var explanation: String?
        var writer = JSONWriter()
        writer.beginObject()
        for name in plainMembers {
            guard let place = tape.member(tape.root, named: name), let text = tape.scalarText(place) else { continue }
            var shown = Array(text.utf8)
            mask.hide(in: &shown)
            let cut = String(decoding: shown.prefix(maximumMember), as: UTF8.self)
            writer.key(name)
            writer.string(cut)
            if name == "error_description" { explanation = firstLine(cut) }
        }
        writer.endObject()
        return (writer.bytes, explanation)
    }

    /// It goes into messages and logs.
    private static func firstLine(_ text: String) -> String? {
        let line = text.unicodeScalars.prefix { $0.value >= 0x20 && $0.value != 0x7F }.prefix(maximumExplanation)
        return line.isEmpty ? nil : String(line)
    }
}
