#include "Text.hpp"

#include <cstring>

namespace gatehouse {
namespace {

constexpr uint32_t replacement = 0xFFFD;

int hex_digit(uint8_t byte) noexcept {
    if (byte >= '0' && byte <= '9') return byte - '0';
    const uint8_t lower = byte | 0x20;
    if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
    return -1;
}

/// Reads the `\uXXXX` at `text`; negative when there is none.
int32_t code_unit(const uint8_t *text, const uint8_t *end) noexcept {
    if (end - text < 6 || text[0] != '\\' || text[1] != 'u') return -1;
    int32_t value = 0;
    for (int index = 2; index < 6; ++index) {
        const int digit = hex_digit(text[index]);
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

bool is_high(int32_t unit) noexcept { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low(int32_t unit) noexcept { return unit >= 0xDC00 && unit <= 0xDFFF; }

/// The character a one-letter escape stands for; negative when there is no such escape.
int32_t simple_escape(uint8_t letter) noexcept {
    switch (letter) {
    case '"': return '"';
    case '\\': return '\\';
    case '/': return '/';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return -1;
    }
}

struct Escape {
    int32_t scalar;  // negative: not an escape
    size_t length;
    bool lone;
};

/// Reads the escape at a backslash, both halves of a surrogate pair at once.
Escape read_escape(const uint8_t *text, const uint8_t *end) noexcept {
    if (end - text < 2) return {-1, 1, false};
    if (text[1] != 'u') return {simple_escape(text[1]), 2, false};
    const int32_t unit = code_unit(text, end);
    if (is_high(unit)) {
        const int32_t low = code_unit(text + 6, end);
        if (is_low(low)) return {0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), 12, false};
        return {replacement, 6, true};
    }
    if (is_low(unit)) return {replacement, 6, true};
    return {unit, 6, false};
}

size_t encode(uint32_t scalar, uint8_t *out) noexcept {
    if (scalar < 0x80) {
        out[0] = static_cast<uint8_t>(scalar);
        return 1;
    }
    if (scalar < 0x800) {
        out[0] = static_cast<uint8_t>(0xC0 | scalar >> 6);
        out[1] = static_cast<uint8_t>(0x80 | (scalar & 0x3F));
        return 2;
    }
    if (scalar < 0x10000) {
        out[0] = static_cast<uint8_t>(0xE0 | scalar >> 12);
        out[1] = static_cast<uint8_t>(0x80 | (scalar >> 6 & 0x3F));
        out[2] = static_cast<uint8_t>(0x80 | (scalar & 0x3F));
        return 3;
    }
    out[0] = static_cast<uint8_t>(0xF0 | scalar >> 18);
    out[1] = static_cast<uint8_t>(0x80 | (scalar >> 12 & 0x3F));
    out[2] = static_cast<uint8_t>(0x80 | (scalar >> 6 & 0x3F));
    out[3] = static_cast<uint8_t>(0x80 | (scalar & 0x3F));
    return 4;
}

const uint8_t *find_backslash(const uint8_t *text, const uint8_t *end) noexcept {
    return static_cast<const uint8_t *>(std::memchr(text, '\\', static_cast<size_t>(end - text)));
}

uint8_t folded(uint8_t byte) noexcept { return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte; }

bool equal_runs(const uint8_t *one, const uint8_t *other, size_t count, bool fold) noexcept {
    if (!fold) return std::memcmp(one, other, count) == 0;
    for (size_t index = 0; index < count; ++index) {
        if (folded(one[index]) != folded(other[index])) return false;
    }
    return true;
}

/// The length of the well-formed sequence at `text` (Unicode, table 3-7); 0 when there is none.
size_t sequence_length(const uint8_t *text, size_t count) noexcept {
    const uint8_t lead = text[0];
    if (lead < 0x80) return 1;
    const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || count < length) return 0;
    const uint8_t lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const uint8_t highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (text[1] < lowest || text[1] > highest) return 0;
    for (size_t index = 2; index < length; ++index) {
        if ((text[index] & 0xC0) != 0x80) return 0;
    }
    return length;
}

}  // namespace

const uint8_t *find_invalid_escape(const uint8_t *text, const uint8_t *end, bool &clean) noexcept {
    while ((text = find_backslash(text, end)) != nullptr) {
        const Escape escape = read_escape(text, end);
        if (escape.scalar < 0) return text;
        if (escape.lone) clean = false;
        text += escape.length;
    }
    return nullptr;
}

size_t unescape(const uint8_t *text, size_t count, uint8_t *out) noexcept {
    const uint8_t *const end = text + count;
    uint8_t *const begin = out;
    while (text < end) {
        const uint8_t *const backslash = find_backslash(text, end);
        const size_t run = static_cast<size_t>((backslash ? backslash : end) - text);
        std::memcpy(out, text, run);
        out += run;
        if (backslash == nullptr) break;
        const Escape escape = read_escape(backslash, end);
        out += encode(escape.scalar < 0 ? replacement : static_cast<uint32_t>(escape.scalar), out);
        text = backslash + escape.length;
    }
    return static_cast<size_t>(out - begin);
}

bool unescaped_equals(
    const uint8_t *text, size_t count, const uint8_t *other, size_t other_count, bool fold) noexcept {
    const uint8_t *const end = text + count;
    const uint8_t *const other_end = other + other_count;
    while (text < end) {
        const uint8_t *const backslash = find_backslash(text, end);
        const size_t run = static_cast<size_t>((backslash ? backslash : end) - text);
        if (static_cast<size_t>(other_end - other) < run || !equal_runs(text, other, run, fold)) return false;
        other += run;
        if (backslash == nullptr) break;
        const Escape escape = read_escape(backslash, end);
        uint8_t encoded[4];
        const size_t length = encode(escape.scalar < 0 ? replacement : static_cast<uint32_t>(escape.scalar), encoded);
        if (static_cast<size_t>(other_end - other) < length || !equal_runs(encoded, other, length, fold)) return false;
        other += length;
        text = backslash + escape.length;
    }
    return other == other_end;
}

int64_t find_invalid_utf8(const uint8_t *text, size_t count) noexcept {
    for (size_t offset = 0; offset < count;) {
        const size_t length = sequence_length(text + offset, count - offset);
        if (length == 0) return static_cast<int64_t>(offset);
        offset += length;
    }
    return -1;
}

int64_t find_string_fault(const uint8_t *text, size_t count) noexcept {
    int64_t opening = -1;
    for (size_t offset = 0; offset < count; ++offset) {
        const uint8_t byte = text[offset];
        if (byte == '\\') {
            ++offset;
        } else if (byte == '"') {
            opening = opening < 0 ? static_cast<int64_t>(offset) : -1;
        } else if (byte < 0x20 && opening >= 0) {
            return static_cast<int64_t>(offset);
        }
    }
    return opening;
}

}  // namespace gatehouse
