#pragma once

#include "include/CSimdjson.h"

#include <vector>

namespace gatehouse {

/// Finds two keys of one object that are the same once their escapes are resolved, in time linear in the object's
/// size whatever the keys are: many keys go into a table under a keyed hash (SipHash-1-3), whose key nobody outside
/// knows.
class KeySet {
public:
    explicit KeySet(const uint64_t (&secret)[2]) noexcept : secret_{secret[0], secret[1]} {}

    /// The second of two equal keys of the object at `nodes[object]`, or null. `text` stays readable for eight bytes
    /// beyond its last one. Throws `std::bad_alloc`.
    const csimdjson_node *find_duplicate(
        const uint8_t *text, size_t count, const csimdjson_node *nodes, size_t object);

    /// Gives back buffers that a large object needed.
    void trim(size_t bytes) noexcept;

private:
    struct Key {
        const uint8_t *text;
        uint32_t count;
        uint32_t hash;
        const csimdjson_node *node;
    };

    void collect(const uint8_t *text, size_t count, const csimdjson_node *nodes, size_t object);
    const csimdjson_node *find_among_few() const noexcept;
    const csimdjson_node *find_among_many();
    uint32_t hash(const uint8_t *text, size_t count) const noexcept;

    const uint64_t secret_[2];
    std::vector<Key> keys_;
    std::vector<uint32_t> table_;
    std::vector<uint8_t> unescaped_;
};

}  // namespace gatehouse
