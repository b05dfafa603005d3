import Events
import HTTPTypes
import Testing
import Vendors

@Suite("Answers to senders that wait")
struct DecisionAnswerTests {
    private static let message = "See <b>\"Ann\"</b>\n{visitor.email}\u{1}"
    private static let written = #"See <b>\"Ann\"</b>\n{visitor.email}\u0001"#

    @Test(
        "are the sender's own codes and bodies, byte for byte",
        arguments: [
            ("sine", DecisionReply(.admit), 200, #"{"code":"SUCCESS"}"#),
            (
                "sine", DecisionReply(.admit, message: "unused", adminNotes: "a", visitorNotes: message), 200,
                #"{"code":"SUCCESS","adminNotes":"a","visitorNotes":"\#(written)"}"#
            ),
            (
                "sine", DecisionReply(.deny, message: message), 200,
                #"{"code":"REJECTED","rejectionMessage":"\#(written)"}"#
            ),
            (
                "sine", DecisionReply(.review, message: "Wait here"), 200,
                #"{"code":"REJECTED","rejectionMessage":"Wait here"}"#
            ),
            (
                "sine", DecisionReply(.deny, message: ""), 200,
                #"{"code":"REJECTED","rejectionMessage":"Please see the reception."}"#
            ),
            ("envoy", DecisionReply(.admit, visitorNotes: "unused"), 200, "{}"),
            ("envoy", DecisionReply(.deny, message: message), 412, #"{"message":"\#(written)"}"#),
            ("envoy", DecisionReply(.review, message: "Wait"), 412, #"{"message":"Wait"}"#),
            ("envoy", DecisionReply(.review), 412, #"{"message":"Please see the reception."}"#),
        ])
    func dialects(_ vendor: String, _ reply: DecisionReply, _ status: Int, _ body: String) throws {
        let answer = try #require(Vendors.named(vendor)).answer(to: reply)
        #expect(answer.status == status)
        #expect(String(decoding: answer.body, as: UTF8.self) == body)
        #expect(answer.headers["Content-Type"] == "application/json")
    }

    @Test("go out before the sender gives up, and only Sine tells its waiting requests by their type")
    func deadlines() throws {
        for vendor in Vendors.all {
            guard let waiting = vendor.waiting else { continue }
            #expect(waiting.deadline < waiting.limit)
            #expect(waiting.isToldByType == vendor.events.contains { $0.type == .visitorSigninRequested })
        }
        #expect(Vendors.all.filter { $0.waiting != nil }.map(\.name).sorted() == ["envoy", "sine"])
        #expect(Vendors.named("sine")?.waiting?.limit == .seconds(5))
        #expect(Vendors.named("envoy")?.waiting?.deadline == .seconds(25))
    }
}
