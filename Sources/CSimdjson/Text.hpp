#pragma once

#include <cstddef>
#include <cstdint>

namespace gatehouse {

/// Checks the escapes of a string from its first backslash to its closing quote. Returns the first invalid escape, or
/// null. `clean` becomes false at a surrogate without its other half.
const uint8_t *find_invalid_escape(const uint8_t *text, const uint8_t *end, bool &clean) noexcept;

/// Resolves valid escapes; a lone surrogate becomes U+FFFD. Never writes more than it reads.
size_t unescape(const uint8_t *text, size_t count, uint8_t *out) noexcept;

/// Whether the text with its escapes resolved is `other`.
bool unescaped_equals(
    const uint8_t *text, size_t count, const uint8_t *other, size_t other_count, bool fold) noexcept;

/// The first byte that is not part of well-formed UTF-8, or -1.
int64_t find_invalid_utf8(const uint8_t *text, size_t count) noexcept;

/// The first control character inside a string, or the opening quote of a string that never ends, or -1.
int64_t find_string_fault(const uint8_t *text, size_t count) noexcept;

}  // namespace gatehouse
