import CCurl

extension EasyHandle {
    /// What every connection has, requests and streams alike.
    func configureConnection() {
        set(CURLOPT_NOSIGNAL, 1)
        // Without it a look-up that outlives its transfer blocks the whole loop until the resolver gives up.
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_PROTOCOLS_STR, text: "http,https")
        set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        set(CURLOPT_FOLLOWLOCATION, 0)
        // Empty, not absent: the environment's http_proxy would blind the address guard.
        set(CURLOPT_PROXY, text: "")
        set(CURLOPT_NOPROXY, text: "")
        set(CURLOPT_DNS_CACHE_TIMEOUT, 60)
        set(CURLOPT_TCP_NODELAY, 1)
    }

    func configureRequests() {
        // HTTP/2 would put several targets' requests on one connection, and re-sends by rules of its own.
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        set(CURLOPT_HTTP09_ALLOWED, 0)
        // Idle connections are dropped before servers usually drop them (5 s in Node.js and Apache): a request that meets
        // a closing connection is a failed attempt. libcurl counts whole seconds: 3 stands for less than 4.
        set(CURLOPT_MAXAGE_CONN, 3)
        set(CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE))
    }

    /// - Returns: What the peer's certificate must be, which is ours to check: libcurl would not say what it is instead.
    func configureTLS(_ tls: TLSOptions) throws(TransportFailure) -> CertificatePin? {
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        // A resumed session would not look at the certificate again.
        set(CURLOPT_SSL_SESSIONID_CACHE, 0)
        // With a folder of authorities set, libcurl parses the whole bundle anew for every connection.
        set(CURLOPT_CAPATH, text: nil)
        set(CURLOPT_CA_CACHE_TIMEOUT, 300)
        for (option, path) in [
            (CURLOPT_CAINFO, tls.caFile), (CURLOPT_SSLCERT, tls.certFile),
            (CURLOPT_SSLKEY, tls.keyFile ?? tls.certFile),
        ] {
            guard let path else { continue }
            guard !path.utf8.contains(0), set(option, text: path) else {
                throw TransportFailure(.tlsCredentials, "the path of a TLS file cannot be used")
            }
        }
        guard let text = tls.pinSHA256 else { return nil }
        guard let pin = CertificatePin(text) else {
            throw TransportFailure(
                .tlsPin,
                "the pin is neither sha256// and Base64 nor a SHA-256 fingerprint of 64 hexadecimal digits")
        }
        return pin
    }

    func configureProxy(_ proxy: String) throws(TransportFailure) {
        guard proxy.hasPrefix("http://") || proxy.hasPrefix("https://"), !proxy.utf8.contains(0),
            set(CURLOPT_PROXY, text: proxy)
        else { throw TransportFailure(.proxy, "the proxy must be given as http://host:port or https://host:port") }
        set(CURLOPT_HTTPPROXYTUNNEL, 1)
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        set(CURLOPT_PROXY_SSL_VERIFYPEER, 1)
        set(CURLOPT_PROXY_SSL_VERIFYHOST, 2)
        set(CURLOPT_PROXY_CAPATH, text: nil)
    }
}
