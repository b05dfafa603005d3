#include "KeySet.hpp"

#include "Text.hpp"

#include <cstring>

namespace gatehouse {
namespace {

/// Up to so many keys are compared in pairs by a signature: cheaper than hashing them.
constexpr size_t few = 16;
/// Keys are read in words.
constexpr size_t readable_beyond = 8;

uint64_t load(const uint8_t *text) noexcept {
    uint64_t word;
    std::memcpy(&word, text, sizeof word);
    return word;
}

/// The first eight bytes and the length; keys with different signatures are different.
uint64_t signature(const uint8_t *text, size_t count) noexcept {
    const uint64_t prefix = count >= 8 ? load(text) : count == 0 ? 0 : load(text) << (64 - 8 * count);
    return prefix + count * 0x9E3779B97F4A7C15ULL;
}

uint64_t rotated(uint64_t value, int bits) noexcept { return value << bits | value >> (64 - bits); }

struct SipState {
    uint64_t v0, v1, v2, v3;

    void round() noexcept {
        v0 += v1;
        v2 += v3;
        v1 = rotated(v1, 13) ^ v0;
        v3 = rotated(v3, 16) ^ v2;
        v0 = rotated(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = rotated(v1, 17) ^ v2;
        v3 = rotated(v3, 21) ^ v0;
        v2 = rotated(v2, 32);
    }

    void absorb(uint64_t word) noexcept {
        v3 ^= word;
        round();
        v0 ^= word;
    }
};

}  // namespace

uint32_t KeySet::hash(const uint8_t *text, size_t count) const noexcept {
    SipState state{
        secret_[0] ^ 0x736f6d6570736575ULL, secret_[1] ^ 0x646f72616e646f6dULL, secret_[0] ^ 0x6c7967656e657261ULL,
        secret_[1] ^ 0x7465646279746573ULL};
    const uint8_t *const last = text + (count & ~size_t{7});
    for (; text < last; text += 8) state.absorb(load(text));
    const size_t rest = count & 7;
    const uint64_t tail = rest == 0 ? 0 : load(text) << (64 - 8 * rest) >> (64 - 8 * rest);
    state.absorb(tail | static_cast<uint64_t>(count) << 56);
    state.v2 ^= 0xFF;
    for (int index = 0; index < 3; ++index) state.round();
    return static_cast<uint32_t>(state.v0 ^ state.v1 ^ state.v2 ^ state.v3);
}

void KeySet::collect(const uint8_t *text, size_t count, const csimdjson_node *nodes, size_t object) {
    keys_.clear();
    unescaped_.clear();
    const csimdjson_node *const end = nodes + nodes[object].next;
    for (const csimdjson_node *node = nodes + object + 1; node < end; node = nodes + node[1].next) {
        const uint8_t *key = text + node->start + 1;
        size_t length = node->end - node->start - 2;
        if (node->info & csimdjson_flag_escapes) {
            // Room for every key of the text at once, so that earlier ones do not move; pages are touched only as used.
            unescaped_.reserve(count + readable_beyond);
            const size_t begin = unescaped_.size();
            unescaped_.resize(begin + length + readable_beyond);
            length = unescape(key, length, unescaped_.data() + begin);
            unescaped_.resize(begin + length);
            key = unescaped_.data() + begin;
        }
        keys_.push_back({key, static_cast<uint32_t>(length), 0, node});
    }
}

const csimdjson_node *KeySet::find_duplicate(
    const uint8_t *text, size_t count, const csimdjson_node *nodes, size_t object) {
    collect(text, count, nodes, object);
    return keys_.size() <= few ? find_among_few() : find_among_many();
}

const csimdjson_node *KeySet::find_among_few() const noexcept {
    uint64_t signatures[few];
    for (size_t index = 0; index < keys_.size(); ++index) {
        const Key &key = keys_[index];
        const uint64_t own = signature(key.text, key.count);
        for (size_t earlier = 0; earlier < index; ++earlier) {
            if (signatures[earlier] != own || keys_[earlier].count != key.count) continue;
            if (std::memcmp(keys_[earlier].text, key.text, key.count) == 0) return key.node;
        }
        signatures[index] = own;
    }
    return nullptr;
}

const csimdjson_node *KeySet::find_among_many() {
    size_t size = 4 * few;
    while (size < 2 * keys_.size()) size *= 2;
    table_.assign(size, 0);
    const size_t mask = size - 1;
    for (size_t index = 0; index < keys_.size(); ++index) {
        Key &key = keys_[index];
        key.hash = hash(key.text, key.count);
        size_t slot = key.hash & mask;
        for (; table_[slot] != 0; slot = (slot + 1) & mask) {
            const Key &other = keys_[table_[slot] - 1];
            if (other.hash != key.hash || other.count != key.count) continue;
            if (std::memcmp(other.text, key.text, key.count) == 0) return key.node;
        }
        table_[slot] = static_cast<uint32_t>(index + 1);
    }
    return nullptr;
}

void KeySet::trim(size_t bytes) noexcept {
    if (keys_.capacity() * sizeof(Key) > bytes) std::vector<Key>().swap(keys_);
    if (table_.capacity() * sizeof(uint32_t) > bytes) std::vector<uint32_t>().swap(table_);
    if (unescaped_.capacity() > bytes) std::vector<uint8_t>().swap(unescaped_);
}

}  // namespace gatehouse
