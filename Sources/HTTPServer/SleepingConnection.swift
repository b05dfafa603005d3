internal import CMicroHTTPD

/// A connection of the library that was put to sleep by its own thread and is not touched until it is woken, which any
/// thread may do, once.
@safe struct SleepingConnection: @unchecked Sendable {
    private let pointer: OpaquePointer

    /// To be called in the access handler of that connection.
    init(suspending connection: OpaquePointer) {
        unsafe pointer = connection
        unsafe MHD_suspend_connection(connection)
    }

    func wake() {
        unsafe MHD_resume_connection(pointer)
    }
}
