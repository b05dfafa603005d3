/// What a record of the control topic is about. The topic is compacted: of each key the newest record is kept.
package enum ControlKey: Hashable, Sendable, CustomStringConvertible {
    /// A target: what it is, and whether it is switched off (`TargetRecord`).
    case target(String)
    /// What an operator wants done on the instances that can (`CommandRecord`).
    case command(String)
    /// What one shard's owner, or one instance, says to a command (`ResultRecord`).
    case result(String, Int)
    /// A replay: what was asked for, and how it ended.
    case replay(target: String, number: Int64)
    /// How far a replay is (`ReplayCursorRecord`).
    case replayCursor(target: String, number: Int64)
    /// The text of a target's configuration, by its hash.
    case version(String)
    /// An instance (`InstanceRecord`).
    case instance(String)
    /// The commits of a shard once more (`CursorBackup`): a group's own expire when nobody is in it for a week.
    case cursor(target: String, shard: Int)

    package var description: String {
        switch self {
        case .target(let name): "target/\(name)"
        case .command(let id): "command/\(id)"
        case .result(let id, let number): "result/\(id)/\(number)"
        case .replay(let target, let number): "replay/\(target)/\(number)"
        case .replayCursor(let target, let number): "replay-cursor/\(target)/\(number)"
        case .version(let hash): "version/\(hash)"
        case .instance(let name): "instance/\(name)"
        case .cursor(let target, let shard): "cursor/\(target)/\(shard)"
        }
    }

    /// Nil for a key of another kind.
    package init?(_ text: String) {
        guard let slash = text.firstIndex(of: "/") else { return nil }
        let rest = text[text.index(after: slash)...]
        guard !rest.isEmpty else { return nil }
        switch text[..<slash] {
        case "target": self = .target(String(rest))
        case "command": self = .command(String(rest))
        case "version": self = .version(String(rest))
        case "instance": self = .instance(String(rest))
        case let kind:
            // Names hold no slash; if one did, the number would still be the last part.
            guard let last = rest.lastIndex(of: "/"), let number = Int64(rest[rest.index(after: last)...]) else {
                return nil
            }
            let name = String(rest[..<last])
            switch kind {
            case "result": self = .result(name, Int(number))
            case "replay": self = .replay(target: name, number: number)
            case "replay-cursor": self = .replayCursor(target: name, number: number)
            case "cursor": self = .cursor(target: name, shard: Int(number))
            default: return nil
            }
        }
    }
}
