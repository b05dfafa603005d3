/// Memory at an address that does not change until it is loaded anew, for C code that keeps the pointer.
@safe struct PinnedBytes: ~Copyable {
    /// Never empty, so that there is always an address.
    private var memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(capacity: Int) {
        unsafe memory = .allocate(byteCount: max(1, capacity), alignment: 16)
    }

    deinit {
        unsafe memory.deallocate()
    }

    var capacity: Int { unsafe memory.count }
    var room: Int { unsafe memory.count - count }

    /// Valid until the next change of this value.
    @unsafe var start: UnsafeMutableRawPointer { unsafe memory.baseAddress! }

    /// Replaces the contents, growing where needed.
    mutating func load(_ bytes: [UInt8]) {
        clear(makingRoomFor: bytes.count)
        append(bytes[...])
    }

    /// Empties it.
    mutating func clear(makingRoomFor wanted: Int) {
        count = 0
        guard wanted > capacity else { return }
        unsafe memory.deallocate()
        unsafe memory = .allocate(byteCount: wanted, alignment: 16)
    }

    /// Appends a text's UTF-8, for which there must be room.
    mutating func append(_ text: String) {
        let span = text.utf8Span.span
        precondition(span.count <= room)
        unsafe span.withUnsafeBytes {
            unsafe (memory.baseAddress! + count).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
        }
        count += span.count
    }

    mutating func append(_ byte: UInt8) {
        precondition(room > 0)
        unsafe memory[count] = byte
        count += 1
    }

    /// Appends as much as fits and returns how much that was.
    @discardableResult
    mutating func append(_ bytes: ArraySlice<UInt8>) -> Int {
        let taken = min(bytes.count, room)
        unsafe bytes.withUnsafeBytes { source in
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count..<(count + taken)])
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<taken]))
        }
        count += taken
        return taken
    }

    /// Empties it, and lets memory beyond `limit` bytes go.
    mutating func clear(keeping limit: Int) {
        count = 0
        guard capacity > limit else { return }
        unsafe memory.deallocate()
        unsafe memory = .allocate(byteCount: max(1, limit), alignment: 16)
    }
}
