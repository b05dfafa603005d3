extension Duration {
    /// Milliseconds, at most what librdkafka's arguments hold, and never less than none: to librdkafka that is for ever.
    var wholeMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: max(0, min(seconds, 1 << 32) * 1000 + attoseconds / 1_000_000_000_000_000))
    }
}
