import Events
import Testing

@Suite("A moment")
struct TimestampTests {
    @Test(
        "is read in every form the senders use",
        arguments: [
            ("2020-01-01T12:00:01Z", "2020-01-01T12:00:01.000Z"),
            ("2024-07-30T01:49:27.069Z", "2024-07-30T01:49:27.069Z"),
            ("2024-07-30T11:19:27.0695+09:30", "2024-07-30T01:49:27.069Z"),
            ("2024-01-15 10:30:00", "2024-01-15T10:30:00.000Z"),
            ("2024-01-15 10:30:00 UTC", "2024-01-15T10:30:00.000Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("2024-01-01T00:30:00+0100", "2023-12-31T23:30:00.000Z"),
        ])
    func forms(text: String, canonical: String) {
        #expect(Timestamp(text)?.text == canonical)
    }

    @Test(
        "is not made of what is none",
        arguments: [
            "", "today", "2024-13-01T00:00:00Z", "2023-02-29T00:00:00Z", "2024-01-01", "2024-01-01T25:00:00Z",
            "2024-01-01T00:00:00Zx", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+1", "٢٠٢٤-01-01T00:00:00Z",
        ])
    func refused(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("is read from seconds and from milliseconds since 1970")
    func epoch() {
        #expect(Timestamp(epoch: 1_677_170_830)?.text == "2023-02-23T16:47:10.000Z")
        #expect(Timestamp(epoch: 1_677_170_830_250)?.text == "2023-02-23T16:47:10.250Z")
        #expect(Timestamp(epoch: .infinity) == nil)
    }

    @Test("reads back what it wrote, over four centuries of days")
    func roundTrip() {
        var moment = Timestamp("1900-01-01T23:59:59.001Z")!
        while moment.text < "2300" {
            #expect(Timestamp(moment.text) == moment)
            moment.milliseconds += 86_400_000 * 13
        }
    }
}
