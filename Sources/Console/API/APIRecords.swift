internal import Delivery
internal import EventLog
internal import Rules

/// What the resources are answered from.
struct APIRecords: Sendable {
    let local: LocalRecords
    let pager: RecordPager
    let tail: TailHub
    let plan: @Sendable () -> RulePlan
    /// Nil where nothing can be changed.
    let desk: OperatorDesk?
    /// Nil where nothing can be explained.
    let explainer: (any EventExplaining)?

    init(_ local: LocalRecords, desk: OperatorDesk?, explainer: (any EventExplaining)?) {
        self.local = local
        self.desk = desk
        self.explainer = explainer
        pager = RecordPager(log: local.log, store: local.store)
        tail = TailHub(pager)
        plan = { local.plan }
    }

    /// What a request asks of events.
    func eventFilter(_ request: APIRequest) throws(APIProblem) -> EventFilter {
        var filter = EventFilter()
        filter.types = request.text("type").map { [$0] }
        filter.sources = request.text("source").map { [$0] }
        filter.sinceMs = request.moment("since")
        filter.untilMs = request.moment("until")
        filter.includesSystem = request.flag("system")
        let destination = request.text("target").map { (plan: plan(), target: $0) }
        if let condition = EventCondition(try request.filters(), to: destination) {
            filter.predicate = { condition.takes($0) }
        }
        return filter
    }
}
