internal import Delivery
internal import EventLog
internal import Events
internal import Kafka
internal import KafkaLog

/// Targets and replays, their open events and dead letters. The order of reading is what makes the accounts exact (see
/// `PartitionAccounts`): the commits first, then the records they speak of, and the log's end last.
extension ViewContent {
    func refreshAccounts(by deadline: ContinuousClock.Instant) throws {
        topics = try admin.topics()
        try readControl(by: deadline)
        try takeCommits()
        // Whatever has happened to events is written beside the row of whom it happened to.
        try enterNew()
        for (name, target) in targets.sorted(by: { $0.key < $1.key }) {
            for open in targets[name]?.passed() ?? [] {
                try buffer.add(.target(name), open.operation { store.routeSet($0) }, size: open.payload.count)
            }
            for number in target.replays.keys { try passReplay(number, of: name) }
        }
        // A dead letter is written before its end in the retry topic, which is read first: no end is without its letter.
        try read(targets.keys.sorted().map { names.retry($0) }, .accounts, by: deadline) { message in
            guard let target = names.target(ofTopic: message.topic),
                let record = decode(message, { try decoder.retry($0) })
            else { return }
            try take(record, of: target)
        }
        try read(targets.keys.sorted().map { names.dead($0) }, .accounts, by: deadline) { message in
            guard let target = names.target(ofTopic: message.topic),
                let record = decode(message, { try decoder.dead($0) })
            else { return }
            try take(record, of: target)
        }
        settle()
        try readHead()
        try buffer.flush(with: mirroredTargets, mirroredReplays)
    }

    // MARK: control

    private func readControl(by deadline: ContinuousClock.Instant) throws {
        try read([names.cursors], .accounts, by: deadline) { message in
            guard let key = message.key.flatMap({ ControlKey(String(decoding: $0, as: UTF8.self)) }) else { return }
            guard let value = message.value else {
                control[key] = nil
                return
            }
            control[key] = ControlEntry(
                key: key, value: value, offset: message.offset, timestampMs: message.timestampMs ?? 0)
        }
        var known: [String: TargetRecord] = [:]
        for (key, entry) in control {
            if case .target(let name) = key { known[name] = entry.record(TargetRecord.self, decoder) }
        }
        for name in targets.keys where known[name] == nil {
            targets[name] = nil
            for topic in [names.retry(name), names.dead(name)] { follower.forget(topic) }
            try store.forgetMirrored(name)
        }
        try forgetReplays()
        for (name, record) in known { targets[name, default: TargetMirror()].record = record }
    }

    // MARK: commits

    private func takeCommits() throws {
        let places = layout.existing(topics)
        for name in targets.keys {
            var commits = backups(of: name)
            for (place, commit) in try admin.committed(group: names.group(name), places) { commits[place] = commit }
            targets[name]?.commits = decoded(commits, of: name)
        }
    }

    /// What a group's own commits were, of which the cluster keeps none when nobody has been in the group for a week.
    private func backups(of name: String) -> [TopicPartition: KafkaCommit] {
        (0..<layout.partitions).reduce(into: [:]) { commits, shard in
            let backup = control[.cursor(target: name, shard: shard)]?.record(CursorBackup.self, decoder)
            commits.merge(backup?.commits ?? [:]) { $1 }
        }
    }

    private func decoded(_ commits: [TopicPartition: KafkaCommit], of name: String) -> [Int32: TargetMirror.Commit] {
        var result: [Int32: TargetMirror.Commit] = [:]
        for (place, commit) in commits {
            guard let partition = layout.index(topic: place.topic, partition: place.partition) else { continue }
            // Somebody may have reset the group with another tool: then it begins there.
            let metadata =
                commit.metadata.flatMap { try? CommitMetadata($0, position: commit.offset, decoder) }
                ?? CommitMetadata(start: commit.offset, createdAtMs: targets[name]?.record?.atMs ?? 0)
            result[partition] = TargetMirror.Commit(position: commit.offset, metadata: metadata)
        }
        return result
    }

    // MARK: records

    private func take(_ record: RetryRecord, of name: String) throws {
        let owner: MirrorOwner = record.key.replay.map { .replay($0) } ?? .target(name)
        guard isNewest(record.stamp, record.place, owner, of: name, isDead: false) else { return }
        switch record.content {
        case .open(let open):
            note(LaterRecord(record.stamp, record.place, .opened(wasDead: open.wasDead)), owner, of: name)
            let isPassed = isPassed(record.place, owner, of: name)
            setAhead(isPassed ? nil : open, at: record.place, owner, of: name)
            guard isPassed else { return }
            try buffer.add(owner, open.operation { store.routeSet($0) }, size: open.payload.count)
        case .ended(let ending):
            note(LaterRecord(record.stamp, record.place, .closed(ending)), owner, of: name)
            setAhead(nil, at: record.place, owner, of: name)
            try buffer.add(owner, .close(record.place))
        }
    }

    private func take(_ record: DeadRecord, of name: String) throws {
        let owner: MirrorOwner = record.key.replay.map { .replay($0) } ?? .target(name)
        guard isNewest(record.stamp, record.place, owner, of: name, isDead: true) else { return }
        switch record.content {
        case .letter(var letter):
            note(LaterRecord(record.stamp, record.place, .buried), owner, of: name)
            letter.routes = letter.routes.map { store.routeSet($0.names) }
            var size = 0
            if case .text(let text) = letter.payload { size = text.count }
            try buffer.add(owner, .bury(letter), size: size)
        case .ended(let ending):
            note(LaterRecord(record.stamp, record.place, .unburied(ending)), owner, of: name)
            try buffer.add(owner, .discard(record.place))
        }
    }

    private func isPassed(_ place: RecordPlace, _ owner: MirrorOwner, of name: String) -> Bool {
        switch owner {
        case .target: targets[name]?.commits[place.partition].map { $0.position > place.offset } ?? false
        case .replay(let number): cursor(name, number)?.cursor.position.isPast(place) ?? false
        }
    }

    private func change<Result>(
        _ owner: MirrorOwner, of name: String, _ body: (inout OwnerMirror) -> Result
    ) -> Result? {
        guard var target = targets[name] else { return nil }
        // No copy is made of what is changed in place.
        targets[name] = nil
        defer { targets[name] = target }
        switch owner {
        case .target: return body(&target.own)
        case .replay(let number): return body(&target.replays[number, default: OwnerMirror()])
        }
    }

    private func isNewest(
        _ stamp: RecordStamp, _ place: RecordPlace, _ owner: MirrorOwner, of name: String, isDead: Bool
    ) -> Bool {
        change(owner, of: name) { $0.isNewest(stamp, place, isDead: isDead) } ?? false
    }

    private func note(_ record: LaterRecord, _ owner: MirrorOwner, of name: String) {
        let stamp =
            switch owner {
            case .target: targets[name]?.stamp(of: record.place.partition) ?? .none
            case .replay(let number): cursor(name, number)?.stamp ?? .none
            }
        guard record.stamp > stamp else { return }
        _ = change(owner, of: name) { $0.later.insert(record) }
    }

    private func setAhead(_ open: RetryRecord.Open?, at place: RecordPlace, _ owner: MirrorOwner, of name: String) {
        change(owner, of: name) { $0.ahead[place] = open }
    }

    /// What the commits speak of has been read by now.
    private func settle() {
        for (name, target) in targets {
            targets[name]?.own.settle { target.stamp(of: $0) }
            for number in target.replays.keys {
                let stamp = cursor(name, number)?.stamp ?? .none
                targets[name]?.replays[number]?.settle { _ in stamp }
            }
        }
    }

    // MARK: the log's end

    private func readHead() throws {
        let ends = try admin.ends(of: layout.existing(topics))
        for (place, end) in ends {
            guard let partition = layout.index(topic: place.topic, partition: place.partition) else { continue }
            head.offsets[Int(partition)] = end.high
        }
    }

    // MARK: rows

    private func enterNew() throws {
        let known = Set(try store.targets().map(\.name))
        let knownReplays = try store.mirroredReplays()
        let new = mirroredTargets.filter { !known.contains($0.name) }
        let replays = mirroredReplays.filter { !knownReplays.contains($0.number) }
        if !new.isEmpty || !replays.isEmpty { try store.mirror(new, replays, []) }
    }

    /// In the order they came.
    private var mirroredTargets: [MirroredTarget] {
        targets.map { $1.mirrored($0, layout) }.sorted { ($0.createdAtMs, $0.name) < ($1.createdAtMs, $1.name) }
    }
}

extension LogLayout {
    /// The partitions of the log whose topics there are.
    func existing(_ topics: [String: TopicDescription]) -> [TopicPartition] {
        (0..<Int32(count)).map { topicPartition($0) }.filter {
            topics[$0.topic].map { $0.partitions } ?? 0 > $0.partition
        }
    }
}
