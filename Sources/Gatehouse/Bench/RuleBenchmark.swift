internal import Events
internal import Glibc
internal import JSON
internal import Rules

/// Measures one thread matching events against a plan, again and again.
struct RuleBenchmark {
    /// Canonical events.
    let payloads: [[UInt8]]

    struct Result {
        var routes = 0
        /// Making the plan of routes already read, in seconds.
        var build = 0.0
        var planBytes = 0
        /// Matching one event that is parsed, in microseconds of the thread's own time.
        var mean = 0.0
        /// Of single events, by the wall clock.
        var median = 0.0
        var ninetyNinth = 0.0
        var meanWithParsing = 0.0
        /// Pairs of event and route in one pass over the events.
        var matches = 0
        var checksum: UInt64 = 0
    }

    /// Percentiles are taken of so many events at most.
    private static let mostSamples = 1 << 20

    /// - Parameters:
    ///   - sourceZones: the time zones of sources, by their names.
    ///   - seconds: for each of the two means.
    /// - Throws: for an event that is no canonical event.
    func run(
        _ routes: [Route], sourceZones: [String: String] = [:], seconds: Int
    ) throws(CommandFailure) -> Result {
        var result = Result()
        let started = Self.clock(CLOCK_THREAD_CPUTIME_ID)
        let plan = RulePlan(routes, sourceZones: sourceZones)
        result.build = Double(Self.clock(CLOCK_THREAD_CPUTIME_ID) - started) / 1e9
        result.routes = plan.routes.count
        result.planBytes = plan.memory
        let parser = JSONParser()
        var events: [EventView] = []
        for (place, payload) in payloads.enumerated() {
            guard let event = try? EventView(parsing: payload, with: parser) else {
                throw CommandFailure("event \(place + 1) is not a canonical event")
            }
            events.append(event)
        }
        var scratch = MatchScratch()
        for (place, event) in events.enumerated() {
            for route in plan.routes(taking: event, scratch: &scratch) {
                result.matches += 1
                result.checksum &+= Self.mixed(UInt64(place) << 32 | UInt64(route))
            }
        }
        result.mean = Self.mean(seconds, events.count) { index in
            _ = plan.match(events[index], scratch: &scratch)
        }
        result.meanWithParsing = Self.mean(seconds, events.count) { index in
            guard let event = try? EventView(parsing: payloads[index], with: parser) else { return }
            _ = plan.match(event, scratch: &scratch)
        }
        (result.median, result.ninetyNinth) = Self.percentiles(events.count) { index in
            _ = plan.match(events[index], scratch: &scratch)
        }
        return result
    }

    // MARK: Time

    /// In microseconds, over as many whole passes as the seconds allow.
    static func mean(_ seconds: Int, _ count: Int, _ body: (Int) -> Void) -> Double {
        let end = clock(CLOCK_MONOTONIC) + Int64(seconds) * 1_000_000_000
        var passes = 0
        let started = clock(CLOCK_THREAD_CPUTIME_ID)
        repeat {
            for index in 0..<count { body(index) }
            passes += 1
        } while clock(CLOCK_MONOTONIC) < end
        return Double(clock(CLOCK_THREAD_CPUTIME_ID) - started) / 1e3 / Double(passes * count)
    }

    /// In microseconds, over at least 100 000 events where that takes no longer than some seconds.
    private static func percentiles(_ count: Int, _ body: (Int) -> Void) -> (median: Double, ninetyNinth: Double) {
        var samples: [Int64] = []
        let end = clock(CLOCK_MONOTONIC) + 2_000_000_000
        repeat {
            for index in 0..<count where samples.count < mostSamples {
                let before = clock(CLOCK_MONOTONIC)
                body(index)
                samples.append(clock(CLOCK_MONOTONIC) - before)
            }
        } while samples.count < 100_000 && clock(CLOCK_MONOTONIC) < end
        samples.sort()
        return (
            Double(samples[samples.count / 2]) / 1e3,
            Double(samples[min(samples.count - 1, samples.count * 99 / 100)]) / 1e3
        )
    }

    private static func clock(_ id: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(id, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// SplitMix64: pairs that differ in anything give numbers that have nothing in common, so that their sum, in whatever
    /// order, tells sets of pairs apart.
    private static func mixed(_ pair: UInt64) -> UInt64 {
        var value = pair &+ 0x9E37_79B9_7F4A_7C15
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
