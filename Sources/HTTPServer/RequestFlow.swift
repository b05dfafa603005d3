internal import CMicroHTTPD
internal import Glibc
internal import HTTPTypes
internal import Synchronization

/// The library calls the same function for every step of a request: once with the head, once for every piece of the
/// body, once at its end, and once more when it was suspended. `true`: go on; `false`: close without an answer.
@safe struct RequestFlow {
    let core: ServerCore
    let request: Request
    /// The library's connection, valid during the call.
    let library: OpaquePointer

    func step(
        method: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?, chunk: UnsafeRawBufferPointer
    ) -> Bool {
        switch request.stage {
        case .head:
            return unsafe begin(method: method, version: version)
        case .body(let receiver, let maximum):
            return unsafe chunk.isEmpty ? finish(receiver) : take(chunk, receiver, maximum)
        case .refused(let response):
            return answer(response)
        case .answering:
            return answerOrSuspend()
        case .answered:
            return true
        case .cutShort:
            return false
        }
    }

    private func begin(method: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?) -> Bool {
        guard request.connection.enter(.body) else { return false }
        guard !request.connection.isSurplus || request.isUrgent else { return refuse(.connectionLimit) }
        guard !core.isStopping.load(ordering: .acquiring) else { return refuse(.shuttingDown) }
        let head: HTTPRequestHead
        do throws(HeaderViolation) {
            head = try unsafe readHead(method: method, version: version)
        } catch {
            return refuse(.malformed(error))
        }
        switch core.handler.receive(head) {
        case .refuse(let response):
            guard head.hasBody else {
                request.stage = .refused(response)
                return true
            }
            request.lingers = true
            return answer(response)
        case .accept(let maximum, let receiver):
            guard (head.contentLength ?? 0) <= maximum else {
                receiver.abandon(.bodyTooLarge)
                return refuse(.bodyTooLarge)
            }
            request.stage = .body(receiver, maximum: maximum)
            return true
        }
    }

    private func take(_ chunk: UnsafeRawBufferPointer, _ receiver: any HTTPBodyReceiver, _ maximum: Int) -> Bool {
        request.received += chunk.count
        guard request.received <= maximum else {
            receiver.abandon(.bodyTooLarge)
            core.report(.bodyTooLarge, request)
            return cutShort(Refusal.bodyTooLarge.response)
        }
        guard let response = unsafe receiver.receive(chunk) else { return true }
        return cutShort(response)
    }

    private func finish(_ receiver: any HTTPBodyReceiver) -> Bool {
        guard request.connection.enter(.handling) else { return false }
        request.connection.expectNothing()
        request.stage = .answering
        let serial = request.connection.awaitAnswer()
        receiver.finish(HTTPExchange(connection: request.connection, serial: serial))
        return answerOrSuspend()
    }

    private func answerOrSuspend() -> Bool {
        guard let response = unsafe request.connection.takeAnswerOrSuspend(library, isStopping: core.isStopping) else {
            return true
        }
        return answer(response)
    }

    private func answer(_ response: HTTPResponse) -> Bool {
        guard request.connection.enter(.reply) else { return false }
        request.stage = .answered
        // Beyond the limit none is kept for a next request.
        let closes =
            request.closesConnection || request.connection.isSurplus || core.isDraining.load(ordering: .relaxed)
        return unsafe core.responses.queue(response, on: library, closesConnection: closes)
    }

    private func refuse(_ refusal: Refusal) -> Bool {
        core.report(refusal, request)
        request.lingers = true
        return answer(refusal.response)
    }

    /// Answers in the middle of a body, where the library takes no answer: past it, then the connection closes.
    private func cutShort(_ response: HTTPResponse) -> Bool {
        request.stage = .cutShort
        request.lingers = true
        guard request.connection.enter(.reply) else { return false }
        let bytes = serialized(response)
        if let session = unsafe gatehouse_mhd_tls_session(library) {
            unsafe TLSCertificate.send(bytes, session: session)
        } else {
            request.connection.withDescriptor { sendNow(bytes, to: $0) }
        }
        return false
    }
}

extension RequestFlow {
    private func readHead(
        method: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?
    ) throws(HeaderViolation) -> HTTPRequestHead {
        guard let method = unsafe method, let version = unsafe version, let target = request.target else {
            throw .target
        }
        let (fields, framing) =
            core.readsHeaderBlock
            ? try unsafe readBlock(method: method, version: version)
            : try readFields(isVersion10: unsafe strcmp(version, "HTTP/1.0") == 0)
        // Chunk framing is parsed leniently and out of our sight: nothing is trusted to follow it.
        if framing.isChunked { request.closesConnection = true }
        return HTTPRequestHead(
            method: unsafe String(cString: method), target: target, headers: HeaderFields(fields),
            peer: request.connection.peer, contentLength: framing.contentLength, hasBody: framing.hasBody,
            receivedAt: monotonicNanoseconds(), startedAt: request.startedAt)
    }

    private func readBlock(
        method: UnsafePointer<CChar>, version: UnsafePointer<CChar>
    ) throws(HeaderViolation) -> ([HeaderField], RequestFraming) {
        let start = UInt(bitPattern: method)
        // The block lies in the connection's read buffer, which the library keeps during this call.
        let bytes = unsafe UnsafeRawBufferPointer(start: method, count: gatehouse_mhd_header_size(library))
        guard bytes.count <= core.configuration.maxHeaderBytes else { throw .tooLong }
        let block = try unsafe HeaderBlock(
            bytes.bindMemory(to: UInt8.self).span, targetOffset: offset(request.targetAddress, start),
            targetLength: request.targetLength, versionOffset: offset(UInt(bitPattern: version), start),
            fieldCount: Int(gatehouse_mhd_header_count(library)), maximumCount: core.configuration.maxHeaderCount)
        return (block.fields, block.framing)
    }

    private func offset(_ address: UInt, _ start: UInt) -> Int {
        Int(bitPattern: address &- start)
    }

    /// For versions of the library that are strict themselves and lay their buffer out otherwise.
    private func readFields(isVersion10: Bool) throws(HeaderViolation) -> ([HeaderField], RequestFraming) {
        var fields: [HeaderField] = []
        unsafe withUnsafeMutablePointer(to: &fields) { pointer in
            unsafe gatehouse_mhd_each_header(
                library,
                { context, _, name, nameSize, value, valueSize in
                    guard let context = unsafe context, let name = unsafe name else { return .no }
                    let name8 = unsafe UnsafeRawBufferPointer(start: name, count: nameSize)
                    let value8 = unsafe UnsafeRawBufferPointer(start: value, count: valueSize)
                    let field = unsafe HeaderField(
                        String(decoding: name8, as: UTF8.self), String(decoding: value8, as: UTF8.self))
                    unsafe context.assumingMemoryBound(to: [HeaderField].self).pointee.append(field)
                    return .yes
                }, pointer)
        }
        guard fields.count <= core.configuration.maxHeaderCount else { throw .tooManyFields }
        var framing = RequestFraming()
        for field in fields { try framing.see(field) }
        try framing.finish(isVersion10: isVersion10)
        return (fields, framing)
    }
}
