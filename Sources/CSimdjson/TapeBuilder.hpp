#pragma once

#include "KeySet.hpp"

// The checks are for programs that walk a document the On-Demand way; they change the size of simdjson's types.
#ifndef SIMDJSON_DEVELOPMENT_CHECKS
#define SIMDJSON_DEVELOPMENT_CHECKS 0
#endif
#include <simdjson.h>

namespace gatehouse {

/// The tokens of a text: each begins at a bracket, comma, colon, opening quote, or the first byte of anything else
/// outside strings, and ends, trailing white space included, where the next one begins.
class Tokens : public simdjson::ondemand::json_iterator {
public:
    Tokens() noexcept = default;
    explicit Tokens(simdjson::ondemand::json_iterator &&other) noexcept : json_iterator(std::move(other)) {}

    size_t remaining() const noexcept { return static_cast<size_t>(end_position() - position()); }
};

/// Checks the grammar (RFC 8259) and writes one node a value and key. simdjson's own walk leaves structure unchecked
/// where nobody looks; this one looks at every token.
class TapeBuilder {
public:
    TapeBuilder(
        const uint8_t *text, size_t count, Tokens &tokens, KeySet &keys, csimdjson_node *nodes, size_t capacity,
        size_t maximum_depth) noexcept
        : text_(text), count_(count), tokens_(tokens), keys_(keys), nodes_(nodes), capacity_(capacity),
          maximum_depth_(maximum_depth), end_(text + count) {}

    csimdjson_result build();

private:
    static constexpr uint32_t none = UINT32_MAX;

    bool value();
    bool array_step();
    bool object_step();
    bool open(const uint8_t *token, uint32_t kind);
    bool close(const uint8_t *token);
    bool string(const uint8_t *token);
    bool number(const uint8_t *token);
    bool literal(const uint8_t *token, const char *word, size_t length, uint32_t kind);
    bool add(const uint8_t *begin, const uint8_t *end, uint32_t info) noexcept;
    bool fail(csimdjson_status status, const uint8_t *at) noexcept;
    bool at_end() const noexcept { return next_token() == end_; }
    const uint8_t *next_token() const noexcept { return tokens_.peek(); }
    bool ends_token(const uint8_t *position) const noexcept;

    const uint8_t *const text_;
    const size_t count_;
    Tokens &tokens_;
    KeySet &keys_;
    csimdjson_node *const nodes_;
    const size_t capacity_;
    const size_t maximum_depth_;
    const uint8_t *const end_;
    const uint8_t *backslash_ = nullptr;  // the first one at or after the last string looked at, or `end_`
    uint32_t written_ = 0;
    uint32_t parent_ = none;  // the innermost open container; its `next` names its own parent until it is closed
    size_t depth_ = 0;
    csimdjson_result failure_{csimdjson_status_ok, -1, 0};
};

}  // namespace gatehouse
