import TestSupport

/// What both senders are told of one visitor, byte for byte, and what becomes of the visitor.
struct Dialect {
    /// As `DoorVisit.description`.
    var answers: [DoorSender: String]
    var outcomes: [DoorSender: DoorOutcome]

    /// The plain success.
    static let admitted = Dialect(
        answers: [.sine: #"200 application/json {"code":"SUCCESS"}"#, .envoy: "200 application/json {}"],
        outcomes: [.sine: .admitted(), .envoy: .admitted()])

    /// Sine shows notes; Envoy has no place for any.
    static func admitted(visitorNotes: String, adminNotes: String) -> Dialect {
        Dialect(
            answers: [
                .sine:
                    #"200 application/json {"code":"SUCCESS","adminNotes":"\#(adminNotes)","visitorNotes":"\#(visitorNotes)"}"#,
                .envoy: "200 application/json {}",
            ], outcomes: [.sine: .admitted(visitorNotes: visitorNotes, adminNotes: adminNotes), .envoy: .admitted()])
    }

    /// Sine has no review, and Envoy nothing else.
    static func refused(_ message: String) -> Dialect {
        Dialect(
            answers: [
                .sine: #"200 application/json {"code":"REJECTED","rejectionMessage":"\#(message)"}"#,
                .envoy: #"412 application/json {"message":"\#(message)"}"#,
            ], outcomes: [.sine: .denied(message), .envoy: .review(message)])
    }

    /// Where nobody said what to tell the visitor.
    static let refusedPlainly = refused("Please see the reception.")
}
