/// What somebody who configures a target can do about a failure.
enum FailureAdvice {
    static func text(for failure: DeliveryFailure) -> String {
        known(failure) ?? byBlame(failure.blame)
    }

    /// Nil for a failure of which no more is known than whose fault it is.
    static func known(_ failure: DeliveryFailure) -> String? {
        byCode[failure.code] ?? oauth(failure.code) ?? kafka(failure) ?? failure.status.map(text(status:))
    }

    private static let byCode: [String: String] = [
        "address_refused": "If this network is meant, name it in the target's `allow:`.",
        "answer_refused":
            "See what the answer says, and compare `body:` and `response:` with the service's documentation.",
        "answer_retry": "The service asks for patience; nothing is wrong with the configuration.",
        "bad_response": "Compare `response:` with the answer; perhaps the URL is not that of the service.",
        "client": "See whether this machine has memory and file descriptors left.",
        "client_busy": "Wait, or lower `concurrency:` of the targets that are behind.",
        "connect_failed": "See whether there is a route from this machine to the receiver.",
        "connect_refused": "See whether the receiver runs, and whether host and port are right.",
        "connect_timeout": "See whether a firewall stands between this machine and the receiver.",
        "connection_lost": "See the receiver's own log.",
        "connection_closed": "See the receiver's own log; with TLS, whether the port is one for TLS.",
        "disk_full": "Make room on the disk.",
        "dns": "See whether the name is spelled right, and whether this machine's resolver knows it.",
        "file_locked": "Another target or program writes this file: give each a file of its own.",
        "file_not_regular": "Let `path:` be that of an ordinary file.",
        "file_open": "See whether the folder exists and this user may write there.",
        "file_sync": "See what the system's log says of this disk.",
        "file_write": "See what the system's log says of this disk.",
        "malformed_response": "See whether the port is one for HTTP; with TLS, whether the URL begins with https://.",
        "message_size": "Make `max_bytes:` smaller.",
        "no_result": "Compare `id:` and `event:` of `response:` with the answer.",
        "oauth_bad_response": "See whether `token_url:` is that of a token endpoint.",
        "oauth_busy": "See why the token endpoint is slow, or lower `concurrency:`.",
        "oauth_invalid_client": "See whether `client_id:` and the secret, or the key, are those the service knows.",
        "oauth_invalid_scope": "Compare `scope:` with the service's documentation.",
        "oauth_key": "See whether `private_key:` is the key that the service knows, and whole.",
        "oauth_unauthorized_client":
            "Let the service's administrator allow this client the grant of client credentials.",
        "oauth_unsupported_grant_type":
            "See whether `token_url:` is right, and whether the service gives tokens to client credentials.",
        "proxy": "See whether the proxy runs, and lets this host through.",
        "rendering": "Compare `body:`, or what the message names, with what an event of this kind has.",
        "request": "See what the message says, and compare `headers:` and `url:` with it.",
        "shutdown": "The instance stopped meanwhile: try again.",
        "target_busy": "Wait until what is queued for the connection or the disk is through.",
        "target_closed": "The target was changed meanwhile: try again.",
        "timeout": "See whether the receiver hangs; else make `timeout:` longer.",
        "tls": "See whether the port is one for TLS, version 1.2 or newer.",
        "tls_credentials": "See whether the files of `tls:` are in PEM form and belong together.",
        "tls_expired":
            "The receiver needs a new certificate; if it has one, see whether this machine's clock is right.",
        "tls_name": "Use the name the certificate is for.",
        "tls_pin":
            "Ask who runs the receiver whether it has a new certificate; only then put its fingerprint into `tls: {pin: …}`.",
        "tls_refused": "Give a certificate the receiver takes: `tls: {cert: FILE, key: FILE}`.",
        "tls_untrusted": "Give the authority that signed the receiver's certificate: `tls: {ca: FILE}`.",
        "url": "Compare `url:` with the service's documentation.",
    ]

    /// The token endpoint fails as any receiver does.
    private static func oauth(_ code: String) -> String? {
        guard code.hasPrefix("oauth_") else { return nil }
        return byCode[String(code.dropFirst("oauth_".count))]
            ?? "See what the token endpoint says of this client, and compare `oauth2:` with the service's documentation."
    }

    private static func kafka(_ failure: DeliveryFailure) -> String? {
        guard failure.code.hasPrefix("kafka_") else { return nil }
        return failure.blame == .event
            ? "Compare what the topic takes (`max.message.bytes` and the like) with this record."
            : "See whether the brokers run, the topic is there and `properties:` are what they want."
    }

    private static func text(status: Int) -> String {
        switch status {
        case 300..<400: "Put the address it names in `Location` into `url:`, if you trust it."
        case 401, 403: "See whether the credentials are right and may do this."
        case 404: "Compare `url:` with the service's documentation."
        case 410: "The receiver wants no more: ask who runs it. Then `gatehouse targets resume NAME`."
        case 400, 422: "See what the answer says, and compare `body:` and `headers:` with the service's documentation."
        case 405: "Compare `method:` with the service's documentation."
        case 413: "Make `batch: {max_bytes: …}` smaller, or send less with `body:`."
        case 415: "Compare the content type and `compression:` with what the service takes."
        case 429: "Set `rate:` to what the service allows."
        case 500...: "See the receiver's own log."
        default: "See what the answer says."
        }
    }

    private static func byBlame(_ blame: Blame) -> String {
        blame == .event
            ? "See what the message says, and compare `body:` with it."
            : "Try again; then see `gatehouse targets list`."
    }
}
