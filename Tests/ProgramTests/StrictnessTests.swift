import Foundation
import Testing

extension ProgramTests {
    @Suite("The intake") struct StrictnessTests {
        private static let good = Sender.sine.event("strict")
        private static var head: String {
            "POST /in/sydney HTTP/1.1\r\nHost: a\r\n\(good.headers[0].0): \(good.headers[0].1)\r\n"
        }
        private static var length: String { "Content-Length: \(good.body.utf8.count)\r\n" }

        /// On the wire, and what is wrong with it.
        private static let malformed: [(name: String, bytes: String)] = [
            ("Content-Length with Transfer-Encoding", head + length + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ("two Content-Lengths", head + length + "Content-Length: 2\r\n\r\n" + good.body),
            ("a space before the colon", head + "Content-Length : \(good.body.utf8.count)\r\n\r\n" + good.body),
            ("an unknown Transfer-Encoding", head + "Transfer-Encoding: gzip\r\n\r\n" + good.body),
            ("a bare line feed", head + "X-A: b\n" + length + "\r\n" + good.body),
            ("a folded header", head + "X-A: b\r\n c\r\n" + length + "\r\n" + good.body),
            ("NUL in a value", head + "X-A: b\0c\r\n" + length + "\r\n" + good.body),
            ("a line that begins with NUL", head + "\0X: y\r\n" + length + "\r\n" + good.body),
            ("a header without a name", head + ": b\r\n" + length + "\r\n" + good.body),
            ("two Hosts", head + "Host: b\r\n" + length + "\r\n" + good.body),
        ]

        @Test("refuses requests whose end is in doubt and closes, so that nothing can hide behind one")
        func malformed() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            let port = service.intakePort
            for (name, bytes) in Self.malformed {
                // What stands behind is a good request: it must not be taken either.
                let hidden = Self.head + Self.length + "\r\n" + Self.good.body
                let (status, isClosed) = try await blocking {
                    let connection = try RawConnection(port: port)
                    try connection.send(bytes)
                    // The other end may be closed already.
                    try? connection.send(hidden)
                    return (try connection.answer().status, connection.isClosedByPeer())
                }
                #expect(status == 400, "\(name)")
                #expect(isClosed, "\(name)")
            }
            #expect(try await installation.events().isEmpty)
            #expect(try await service.post(Self.good).status == 200)
            #expect(await service.stop() == .exited(0))
        }

        @Test("answers each refusal with its status and code, and writes it down")
        func refusals() async throws {
            let installation = try Installation(
                """
                listen: "127.0.0.1:0"
                console: "127.0.0.1:0"
                \(Sender.configuration)
                  small: {vendor: envoy, verify: none, max_body: 1KiB}
                  far: {vendor: envoy, verify: none, allow: 192.0.2.0/24}
                """)
            let service = try await installation.start()
            let stale = Int(Date().timeIntervalSince1970) - 100_000
            let body = Sender.signinapp.event("k").body
            let requests: [(path: String, body: String, headers: [(String, String)], status: Int, code: String)] = [
                ("/in/london", body, [], 401, "signature_missing"),
                ("/in/london", body, [("x-signinapp-webhook-signature", "nonsense")], 401, "signature_malformed"),
                ("/in/london", body + " ", Sender.signinapp.headers(for: body), 401, "signature_mismatch"),
                ("/in/london", body, Sender.signinapp.headers(for: body, at: stale), 401, "timestamp_out_of_tolerance"),
                ("/in/london", "{", Sender.signinapp.headers(for: "{"), 400, "malformed_json"),
                (
                    "/in/london", body, Sender.signinapp.headers(for: body) + [("Content-Encoding", "gzip")], 415,
                    "content_encoding_unsupported"
                ),
                ("/in/small", String(repeating: " ", count: 2000), [], 413, "too_large"),
                ("/in/far", body, [], 403, "address_not_allowed"), ("/in/nobody", body, [], 404, "source_unknown"),
                ("/in/%6condon", body, Sender.signinapp.headers(for: body), 404, "source_unknown"),
                ("/elsewhere", body, [], 404, "not_found"),
            ]
            for request in requests {
                let answer = try await service.post(request.path, request.body, headers: request.headers)
                #expect(answer.status == request.status, "\(request.path) \(request.code): \(answer.text)")
                #expect(answer.code == request.code, "\(answer.text)")
                #expect(answer.headers["content-type"] == "application/problem+json")
                if request.code == "timestamp_out_of_tolerance" {
                    #expect(answer.detail?.contains(/10000\d/) == true, "\(answer.text)")
                }
            }
            let port = service.intakePort
            let get = try await blocking { try RawConnection(port: port).get("/in/london") }
            #expect(get.status == 405)
            let bare = try await blocking {
                let connection = try RawConnection(port: port)
                try connection.send("POST /in/london HTTP/1.1\r\nHost: a\r\n\r\n")
                return try connection.answer()
            }
            #expect(bare.status == 411)
            let many = try await blocking {
                try RawConnection(port: port).post(
                    "/in/london", [], headers: (0..<200).map { ("X-\($0)", "y") })
            }
            #expect(many.status == 431)
            let written = try await installation.refusals().compactMap { $0["code"] as? String }
            #expect(Set(written).isSuperset(of: requests.map(\.code)))
            #expect(try await installation.events().isEmpty)
            #expect(await service.stop() == .exited(0))
        }

        @Test("asks for a body only after the checks that need none")
        func continuing() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            let port = service.intakePort
            let taken = try await blocking {
                try RawConnection(port: port).expectContinue(Self.head + Self.length, Self.good.body)
            }
            #expect(taken.status == 200)
            #expect(taken.interim == [100])
            for start in ["POST /in/nobody HTTP/1.1\r\nHost: a\r\n", "POST /in/sydney HTTP/1.1\r\nHost: a\r\n"] {
                let refused = try await blocking {
                    try RawConnection(port: port).expectContinue(start + Self.length, nil)
                }
                #expect([401, 404].contains(refused.status))
                #expect(refused.interim == [], "\(start)")
            }
            #expect(await service.stop() == .exited(0))
        }

        @Test("answers each sender as it wants to be answered, duplicates alike")
        func answers() async throws {
            let installation = try Installation(targets: Installation.archive, routes: Installation.everythingToArchive)
            let service = try await installation.start()
            for sender in Sender.allCases {
                let event = sender.event("answer", elements: 3)
                for _ in 0..<2 {
                    let answer = try await service.post(event)
                    #expect(answer.status == 200, "\(sender)")
                    if sender == .sine {
                        #expect(answer.text == #"{"code":"SUCCESS"}"#)
                        #expect(answer.headers["content-type"] == "application/json")
                    }
                }
            }
            let empty = try await service.post("/in/guests", "[]", headers: Sender.netgraph.headers(for: "[]"))
            #expect(empty.status == 200)
            let validation = try await service.post(
                "/in/lobby/validate", #"{"meta":{},"payload":{}}"#,
                headers: Sender.envoy.headers(for: #"{"meta":{},"payload":{}}"#))
            #expect(validation.status == 200)
            #expect(try JSON.object(validation.text).isEmpty)
            #expect(try await installation.events().count == 7)
            #expect(await service.stop() == .exited(0))
        }
    }
}

extension RawConnection {
    /// - Parameter body: sent once an interim answer asks for it; nil when none may.
    func expectContinue(_ head: String, _ body: String?) throws -> Answer {
        try send(head + "Expect: 100-continue\r\n\r\n")
        if let body {
            guard try interim() == 100 else { throw Failure("no 100 Continue") }
            try send(body)
            var answer = try answer()
            answer.interim = [100]
            return answer
        }
        return try answer()
    }
}
