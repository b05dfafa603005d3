#include "TapeBuilder.hpp"

#include "Text.hpp"

#include <cstring>

namespace gatehouse {
namespace {

static_assert(sizeof(csimdjson_node) == 16, "a tape's memory is bounded by 16 bytes a value");

constexpr uint32_t one_child = 1u << csimdjson_count_shift;

bool is_space(uint8_t byte) noexcept { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }
bool is_digit(uint8_t byte) noexcept { return static_cast<uint8_t>(byte - '0') < 10; }

const uint8_t *skip_digits(const uint8_t *text) noexcept {
    while (is_digit(*text)) ++text;
    return text;
}

/// Whether the digits, without leading zeros, fit a signed 64-bit integer.
bool fits(const uint8_t *digits, size_t count, bool negative) noexcept {
    if (count != 19) return count < 19;
    uint64_t magnitude = 0;
    for (size_t index = 0; index < count; ++index) magnitude = magnitude * 10 + (digits[index] - '0');
    return magnitude <= static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0);
}

}  // namespace

bool TapeBuilder::fail(csimdjson_status status, const uint8_t *at) noexcept {
    failure_ = {status, at - text_, 0};
    return false;
}

/// A scalar's text ends with its token: only white space may follow.
bool TapeBuilder::ends_token(const uint8_t *position) const noexcept {
    return position == next_token() || (position < next_token() && is_space(*position));
}

csimdjson_result TapeBuilder::build() {
    bool good = value();
    while (good && parent_ != none) {
        good = (nodes_[parent_].info & csimdjson_kind_mask) == csimdjson_kind_object ? object_step() : array_step();
    }
    if (good && !at_end()) fail(csimdjson_status_trailing_content, next_token());
    failure_.nodes = written_;
    return failure_;
}

bool TapeBuilder::value() {
    if (at_end()) return fail(csimdjson_status_unexpected_end, end_);
    const uint8_t *const token = tokens_.return_current_and_advance();
    switch (*token) {
    case '"': return string(token);
    case '{': return open(token, csimdjson_kind_object);
    case '[': return open(token, csimdjson_kind_array);
    case 't': return literal(token, "true", 4, csimdjson_kind_true);
    case 'f': return literal(token, "false", 5, csimdjson_kind_false);
    case 'n': return literal(token, "null", 4, csimdjson_kind_null);
    default:
        if (*token == '-' || is_digit(*token)) return number(token);
        return fail(csimdjson_status_expected_value, token);
    }
}

bool TapeBuilder::array_step() {
    if (at_end()) return fail(csimdjson_status_unexpected_end, end_);
    const uint8_t *token = next_token();
    if (*token == ']') {
        tokens_.return_current_and_advance();
        return close(token);
    }
    if (nodes_[parent_].info >= one_child) {
        if (*token != ',') return fail(csimdjson_status_expected_comma_in_array, token);
        tokens_.return_current_and_advance();
        if (!at_end() && *next_token() == ']') return fail(csimdjson_status_trailing_comma, token);
    }
    nodes_[parent_].info += one_child;
    return value();
}

bool TapeBuilder::object_step() {
    if (at_end()) return fail(csimdjson_status_unexpected_end, end_);
    const uint8_t *token = next_token();
    if (*token == '}') {
        tokens_.return_current_and_advance();
        return close(token);
    }
    if (nodes_[parent_].info >= one_child) {
        if (*token != ',') return fail(csimdjson_status_expected_comma_in_object, token);
        tokens_.return_current_and_advance();
        if (at_end()) return fail(csimdjson_status_unexpected_end, end_);
        if (*next_token() == '}') return fail(csimdjson_status_trailing_comma, token);
        token = next_token();
    }
    if (*token != '"') return fail(csimdjson_status_expected_key, token);
    nodes_[parent_].info += one_child;
    tokens_.return_current_and_advance();
    if (!string(token)) return false;
    if (at_end()) return fail(csimdjson_status_unexpected_end, end_);
    if (*next_token() != ':') return fail(csimdjson_status_expected_colon, next_token());
    tokens_.return_current_and_advance();
    return value();
}

bool TapeBuilder::add(const uint8_t *begin, const uint8_t *end, uint32_t info) noexcept {
    // The capacity was counted from the same tokens: only a fault in that count could get here.
    if (written_ >= capacity_) return fail(csimdjson_status_internal, begin);
    nodes_[written_] = {static_cast<uint32_t>(begin - text_), static_cast<uint32_t>(end - text_), info, written_ + 1};
    ++written_;
    return true;
}

bool TapeBuilder::open(const uint8_t *token, uint32_t kind) {
    if (depth_ >= maximum_depth_) return fail(csimdjson_status_too_deep, token);
    const uint32_t node = written_;
    if (!add(token, token + 1, kind)) return false;
    nodes_[node].next = parent_;
    parent_ = node;
    ++depth_;
    return true;
}

bool TapeBuilder::close(const uint8_t *token) {
    const uint32_t node = parent_;
    csimdjson_node &container = nodes_[node];
    parent_ = container.next;
    container.next = written_;
    container.end = static_cast<uint32_t>(token + 1 - text_);
    --depth_;
    if (parent_ != none) nodes_[parent_].info |= container.info & csimdjson_flag_unclean;
    const bool is_object = (container.info & csimdjson_kind_mask) == csimdjson_kind_object;
    if (is_object && container.info >= 2 * one_child) {
        const csimdjson_node *const duplicate = keys_.find_duplicate(text_, count_, nodes_, node);
        if (duplicate) return fail(csimdjson_status_duplicate_key, text_ + duplicate->start);
    }
    return true;
}

bool TapeBuilder::string(const uint8_t *token) {
    const uint8_t *end = next_token();
    while (is_space(end[-1])) --end;
    // The token holds nothing but the string and white space, so its last byte is the closing quote.
    if (end - token < 2 || end[-1] != '"') return fail(csimdjson_status_unterminated_string, token);
    uint32_t info = csimdjson_kind_string;
    if (backslash_ < token) {
        const void *found = std::memchr(token, '\\', static_cast<size_t>(end_ - token));
        backslash_ = found ? static_cast<const uint8_t *>(found) : end_;
    }
    if (backslash_ < end) {
        bool clean = true;
        const uint8_t *const invalid = find_invalid_escape(backslash_, end - 1, clean);
        if (invalid) return fail(csimdjson_status_invalid_escape, invalid);
        info |= csimdjson_flag_escapes | (clean ? 0 : csimdjson_flag_unclean);
        if (!clean && parent_ != none) nodes_[parent_].info |= csimdjson_flag_unclean;
    }
    return add(token, end, info);
}

bool TapeBuilder::number(const uint8_t *token) {
    const bool negative = *token == '-';
    const uint8_t *const digits = token + (negative ? 1 : 0);
    const uint8_t *end = skip_digits(digits);
    const size_t count = static_cast<size_t>(end - digits);
    if (count == 0 || (*digits == '0' && count > 1)) return fail(csimdjson_status_invalid_number, token);
    bool integer = true;
    if (*end == '.') {
        integer = false;
        if (!is_digit(*++end)) return fail(csimdjson_status_invalid_number, token);
        end = skip_digits(end);
    }
    if ((*end | 0x20) == 'e') {
        integer = false;
        ++end;
        if (*end == '+' || *end == '-') ++end;
        if (!is_digit(*end)) return fail(csimdjson_status_invalid_number, token);
        end = skip_digits(end);
    }
    if (!ends_token(end)) return fail(csimdjson_status_invalid_number, token);
    return add(
        token, end, integer && fits(digits, count, negative) ? csimdjson_kind_integer : csimdjson_kind_decimal);
}

bool TapeBuilder::literal(const uint8_t *token, const char *word, size_t length, uint32_t kind) {
    if (std::memcmp(token, word, length) != 0 || !ends_token(token + length)) {
        return fail(csimdjson_status_invalid_literal, token);
    }
    return add(token, token + length, kind);
}

}  // namespace gatehouse
