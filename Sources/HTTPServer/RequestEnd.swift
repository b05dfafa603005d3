internal import CMicroHTTPD

/// The library is done with a request, whatever the reason.
func endRequest(_ request: Request, _ core: ServerCore, reason: MHD_RequestTerminationCode, status: Int) {
    let isClean = gatehouse_mhd_is_complete(reason)
    let mark = request.connection.phaseMark
    switch request.stage {
    case .head:
        // It never got as far as us: the library refused it by itself, or the client went away.
        if !isClean, status >= 400 {
            core.report(.library(status: status), request)
            request.lingers = true
        }
    case .body(let receiver, _):
        receiver.abandon(abandonReason(reason, mark, status))
        if status >= 400 { core.report(.library(status: status), request) }
    case .refused, .answering, .answered, .cutShort:
        break
    }
    if request.lingers { core.linger(request.connection) }
    _ = request.connection.enter(.idle)
}

private func abandonReason(
    _ reason: MHD_RequestTerminationCode, _ mark: PhaseMark, _ status: Int
) -> HTTPAbandonReason {
    if gatehouse_mhd_is_shutdown(reason) { return .shuttingDown }
    if mark.phase == .expired { return .timedOut }
    return status >= 400 ? .malformed : .connectionClosed
}
