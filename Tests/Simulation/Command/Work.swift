import Simulation

/// What is to be run, by numbers that count from 0.
enum Work {
    case seeds(Range<UInt64>, PlantedBug?)
    /// - from: the number of the first place.
    case sweep([CrashPoint], from: Int)

    var count: Int {
        switch self {
        case .seeds(let seeds, _): Int(clamping: seeds.upperBound - seeds.lowerBound)
        case .sweep(let points, _): points.count
        }
    }

    func run(_ index: Int, tracer: ((String) -> Void)? = nil) -> Simulation.Outcome {
        switch self {
        case .seeds(let seeds, let bug):
            Simulation.run(seed: seeds.lowerBound + UInt64(index), bug: bug, tracer: tracer)
        case .sweep(let points, _): Simulation.run(crashingAt: points[index], tracer: tracer)
        }
    }

    func name(_ index: Int) -> String {
        switch self {
        case .seeds(let seeds, _): "seed \(seeds.lowerBound + UInt64(index))"
        case .sweep(_, let first): "sweep \(first + index)"
        }
    }

    /// How to see it again.
    func command(_ index: Int) -> String {
        switch self {
        case .seeds(let seeds, nil): "make simulate SEED=\(seeds.lowerBound + UInt64(index))"
        case .seeds(let seeds, let bug?):
            ".build/release/gatehouse-simulate --seed \(seeds.lowerBound + UInt64(index)) --bug \(bug)"
        case .sweep(_, let first): "make simulate SWEEP=\(first + index)"
        }
    }

    var unit: String {
        switch self {
        case .seeds: "seeds"
        case .sweep: "places of a crash"
        }
    }
}
