internal import CMimalloc
internal import Glibc

/// Where memory comes from: mimalloc, which being linked before the C library takes its `malloc`'s place. Events are
/// allocated on one thread and freed on another all the time, which costs the C library's own a tenth of the processor.
enum Allocator {
    /// Of the memory that is really handed out: another library may have come before.
    static var name: String {
        guard let memory = unsafe malloc(64) else { return "none" }
        defer { unsafe free(memory) }
        guard unsafe mi_is_in_heap_region(memory) else { return "system" }
        let version = mi_version()
        return "mimalloc \(version / 100).\(version / 10 % 10).\(version % 10)"
    }
}
