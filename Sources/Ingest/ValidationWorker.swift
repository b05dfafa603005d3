internal import Events
internal import HTTPServer
internal import HTTPTypes
internal import JSON
internal import Vendors

/// Answers the verified requests by which a sender's set-up asks whether an address is right. What they tell of the
/// installation is kept first. It has a thread of its own, as it waits for the disk.
struct ValidationWorker {
    private let parser = JSONParser()
    private let reporter: RefusalReporter
    private let keep: @Sendable (AppInstallation) throws -> Void

    init(reporter: RefusalReporter, keep: @escaping @Sendable (AppInstallation) throws -> Void) {
        self.reporter = reporter
        self.keep = keep
    }

    func work(_ jobs: [EventJob]) {
        for job in jobs {
            if let problem = problem(job) {
                reporter.refuse(job.exchange, problem.withMessage, job.client, body: job.body)
            } else {
                job.exchange.respond(job.source.configuration.vendor.validationAnswer ?? .json("{}"))
            }
        }
    }

    /// What keeps the set-up from going on.
    private func problem(_ job: EventJob) -> ProblemDetails? {
        let tape: JSONTape
        do {
            tape = try parser.parse(job.body)
        } catch {
            return .malformed(error)
        }
        guard let id = job.source.configuration.vendor.installation(tape, tape.root) else { return nil }
        guard AppInstallation.isID(id) else { return .installationMalformed() }
        do {
            try keep(AppInstallation(source: job.source.name, id: id, at: job.receivedAt))
            return nil
        } catch {
            return .installationNotKept()
        }
    }
}
