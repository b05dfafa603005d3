internal import Configuration
internal import Delivery
internal import Glibc

/// The books at the end: what was sent, accepted, delivered and filtered, and what each receiver got.
struct DemoBalance {
    private let instance: Instance
    private let receivers: DemoReceivers
    private let senders: DemoSenders
    private let archive: String

    init(
        _ instance: Instance, _ receivers: DemoReceivers, _ senders: DemoSenders, _ configuration: Configuration
    ) throws {
        self.instance = instance
        self.receivers = receivers
        self.senders = senders
        archive = configuration.dataFolder + "/archive.ndjson"
    }

    /// - Returns: whether sent = accepted = delivered + filtered, and the receivers agree.
    func show(_ screen: DemoScreen) throws -> Bool {
        let isIdle = instance.delivery.waitUntilFinished(within: .seconds(20))
        let books = try instance.desk.operations.reconcile()
        screen.heading("The balance")
        screen.say("  sent \(senders.taken), accepted \(books.accepted)")
        var isBalanced = isIdle && books.isBalanced && books.accepted == Int64(senders.taken)
        var rows = [["  target", "delivered", "filtered", "pending", "dead", "receiver got", ""]]
        for target in books.targets {
            let (name, balance) = (target.name, target.balance)
            let got = waitForReceipts(name, balance.delivered)
            let isRight = balance.delivered + balance.filtered == books.accepted && got == balance.delivered
            isBalanced = isBalanced && isRight
            rows.append([
                "  \(name)", "\(balance.delivered)", "\(balance.filtered)", "\(balance.pending)", "\(balance.dead)",
                "\(got)",
                isRight ? Terminal.paint("delivered + filtered = accepted", .green) : Terminal.paint("WRONG", .red),
            ])
        }
        for line in Terminal.table(rows) { screen.say(line) }
        screen.say(
            isBalanced
                ? Terminal.paint("  balanced: sent = accepted = delivered + filtered", .green, .bold)
                : Terminal.paint("  NOT BALANCED", .red, .bold))
        return isBalanced
    }

    /// TCP may still be on its way.
    private func waitForReceipts(_ target: String, _ expected: Int64) -> Int64 {
        var got: Int64 = 0
        for _ in 0..<100 {
            got = Int64(receivers.received(archive: archive)[target] ?? 0)
            if got >= expected { break }
            usleep(20_000)
        }
        return got
    }
}
