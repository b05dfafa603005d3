import Foundation

/// A page of Prometheus' text format (version 0.0.4), read strictly.
struct MetricsPage {
    struct Sample: Hashable {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    struct Family {
        var name: String
        var help: String
        var kind: String
        var samples: [Sample] = []
    }

    private(set) var families: [Family] = []

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Failure("the last line has no line feed") }
        var help: (name: String, text: String)?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
            if line.hasPrefix("# HELP "), words.count == 4 {
                help = (words[2], words[3])
            } else if line.hasPrefix("# TYPE "), words.count == 4 {
                guard let help, help.name == words[2] else { throw Failure("TYPE without HELP: \(line)") }
                guard !families.contains(where: { $0.name == words[2] }) else { throw Failure("twice: \(line)") }
                families.append(Family(name: words[2], help: help.text, kind: words[3]))
            } else {
                try take(Self.sample(String(line)))
            }
        }
    }

    private mutating func take(_ sample: Sample) throws {
        guard let family = families.last, Self.names(family).contains(sample.name) else {
            throw Failure("a sample outside its family: \(sample)")
        }
        guard !family.samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) else {
            throw Failure("a series twice: \(sample)")
        }
        families[families.count - 1].samples.append(sample)
    }

    private static func names(_ family: Family) -> [String] {
        family.kind == "histogram" ? ["_bucket", "_sum", "_count"].map { family.name + $0 } : [family.name]
    }

    private static func sample(_ line: String) throws -> Sample {
        let pattern = /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)/
        guard let match = try pattern.wholeMatch(in: line) else { throw Failure("not a sample: \(line)") }
        let text = String(match.3)
        guard let value = text == "+Inf" ? .infinity : Double(text) else { throw Failure("not a value: \(line)") }
        return Sample(name: String(match.1), labels: try labels(match.2.map(String.init) ?? ""), value: value)
    }

    private static func labels(_ text: String) throws -> [String: String] {
        var labels: [String: String] = [:]
        var rest = text[...]
        while !rest.isEmpty {
            guard let match = try /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/.prefixMatch(in: rest),
                labels.updateValue(String(match.2), forKey: String(match.1)) == nil
            else { throw Failure("not labels: \(text)") }
            rest = rest[match.range.upperBound...]
        }
        return labels
    }

    subscript(_ name: String) -> Family? { families.first { $0.name == name } }

    /// The value of the series with these labels among its own; nil when there is none.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let samples = families.lazy.flatMap(\.samples).filter { sample in
            sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
        }
        let found = Array(samples)
        return found.isEmpty ? nil : found.reduce(0) { $0 + $1.value }
    }
}
