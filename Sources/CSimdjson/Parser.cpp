#include "include/CSimdjson.h"

#include "KeySet.hpp"
#include "TapeBuilder.hpp"
#include "Text.hpp"

#include <charconv>
#include <cstring>
#include <memory>
#include <new>
#include <sys/random.h>

namespace {

/// Node offsets have 32 bits and a container's count 27; a text of this size overflows neither.
constexpr size_t largest_text = size_t{128} << 20;
/// Buffers up to this size stay between texts.
constexpr size_t kept_bytes = size_t{1} << 20;
constexpr size_t smallest_capacity = 4096;
/// Up to so many tokens, their number is taken as the number of nodes instead of counting.
constexpr size_t few_tokens = 1024;

csimdjson_result failure(csimdjson_status status, int64_t offset = -1) noexcept { return {status, offset, 0}; }

}  // namespace

struct csimdjson_parser {
    explicit csimdjson_parser(const uint64_t (&secret)[2]) : keys(secret) {}

    csimdjson_result tokenize(const uint8_t *bytes, size_t length);
    csimdjson_result build(csimdjson_node *nodes, size_t capacity, size_t maximum_depth);
    void trim();

private:
    bool reserve(size_t length);
    size_t count_nodes() const;
    csimdjson_result located(simdjson::error_code error) const noexcept;
    static csimdjson_result shifted(csimdjson_result result, size_t by) noexcept;

    simdjson::ondemand::parser parser{largest_text};
    gatehouse::Tokens tokens;
    gatehouse::KeySet keys;
    std::unique_ptr<uint8_t[]> text;  // the text without its byte order mark, padded as simdjson asks
    size_t capacity = 0;
    size_t count = 0;
    size_t skipped = 0;  // the byte order mark
};

bool csimdjson_parser::reserve(size_t length) {
    if (length <= capacity) return true;
    size_t wanted = smallest_capacity;
    while (wanted < length) wanted *= 2;
    capacity = 0;
    text.reset(new (std::nothrow) uint8_t[wanted + simdjson::SIMDJSON_PADDING]);
    if (!text || parser.allocate(wanted) != simdjson::SUCCESS) return false;
    capacity = wanted;
    return true;
}

csimdjson_result csimdjson_parser::tokenize(const uint8_t *bytes, size_t length) {
    if (length > largest_text) return failure(csimdjson_status_too_large);
    skipped = length >= 3 && std::memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    count = length - skipped;
    if (count == 0) return failure(csimdjson_status_empty, static_cast<int64_t>(length));
    if (!reserve(count)) return failure(csimdjson_status_out_of_memory);
    std::memcpy(text.get(), bytes + skipped, count);
    // Zeros end any number or word at the end of the text, and hide what an earlier text left here.
    std::memset(text.get() + count, 0, simdjson::SIMDJSON_PADDING);

    auto found = parser.iterate_raw(
        simdjson::padded_string_view(text.get(), count, count + simdjson::SIMDJSON_PADDING));
    if (found.error() != simdjson::SUCCESS) return shifted(located(found.error()), skipped);
    tokens = gatehouse::Tokens(std::move(found).value_unsafe());
    const size_t remaining = tokens.remaining();
    return {csimdjson_status_ok, -1, remaining <= few_tokens ? remaining : count_nodes()};
}

size_t csimdjson_parser::count_nodes() const {
    size_t nodes = 0;
    const size_t remaining = tokens.remaining();
    for (size_t index = 0; index < remaining; ++index) {
        switch (*tokens.peek(static_cast<int32_t>(index))) {
        case ',': case ':': case ']': case '}': break;
        default: ++nodes;
        }
    }
    return nodes;
}

/// Finds where the faults are that simdjson reports without a place.
csimdjson_result csimdjson_parser::located(simdjson::error_code error) const noexcept {
    switch (error) {
    case simdjson::EMPTY: return failure(csimdjson_status_empty, static_cast<int64_t>(count));
    case simdjson::UTF8_ERROR:
        return failure(csimdjson_status_invalid_utf8, gatehouse::find_invalid_utf8(text.get(), count));
    case simdjson::UNESCAPED_CHARS:
        return failure(csimdjson_status_control_character, gatehouse::find_string_fault(text.get(), count));
    case simdjson::UNCLOSED_STRING:
        return failure(csimdjson_status_unterminated_string, gatehouse::find_string_fault(text.get(), count));
    case simdjson::CAPACITY: return failure(csimdjson_status_too_large);
    case simdjson::MEMALLOC: return failure(csimdjson_status_out_of_memory);
    default: return failure(csimdjson_status_internal);
    }
}

csimdjson_result csimdjson_parser::shifted(csimdjson_result result, size_t by) noexcept {
    if (result.offset >= 0) result.offset += static_cast<int64_t>(by);
    return result;
}

csimdjson_result csimdjson_parser::build(csimdjson_node *nodes, size_t node_capacity, size_t maximum_depth) {
    gatehouse::TapeBuilder builder(text.get(), count, tokens, keys, nodes, node_capacity, maximum_depth);
    const csimdjson_result result = builder.build();
    if (skipped != 0) {
        for (size_t index = 0; index < result.nodes; ++index) {
            nodes[index].start += static_cast<uint32_t>(skipped);
            nodes[index].end += static_cast<uint32_t>(skipped);
        }
    }
    return shifted(result, skipped);
}

void csimdjson_parser::trim() {
    keys.trim(kept_bytes);
    if (capacity <= kept_bytes / 4) return;
    // simdjson keeps four bytes of index for each byte of capacity.
    text.reset();
    tokens = gatehouse::Tokens();
    parser = simdjson::ondemand::parser{largest_text};
    capacity = 0;
}

csimdjson_parser *csimdjson_parser_create(void) {
    uint64_t secret[2];
    if (getentropy(secret, sizeof secret) != 0) return nullptr;
    try {
        return new csimdjson_parser(secret);
    } catch (...) {
        return nullptr;
    }
}

void csimdjson_parser_destroy(csimdjson_parser *parser) { delete parser; }

csimdjson_result csimdjson_parser_tokenize(csimdjson_parser *parser, const uint8_t *text, size_t count) {
    try {
        return parser->tokenize(text, count);
    } catch (...) {
        return failure(csimdjson_status_out_of_memory);
    }
}

csimdjson_result csimdjson_parser_build(
    csimdjson_parser *parser, csimdjson_node *nodes, size_t capacity, size_t maximum_depth) {
    try {
        return parser->build(nodes, capacity, maximum_depth);
    } catch (...) {
        return failure(csimdjson_status_out_of_memory);
    }
}

void csimdjson_parser_trim(csimdjson_parser *parser) {
    try {
        parser->trim();
    } catch (...) {
    }
}

size_t csimdjson_unescape(const uint8_t *text, size_t count, uint8_t *out) {
    return gatehouse::unescape(text, count, out);
}

bool csimdjson_unescaped_equals(
    const uint8_t *text, size_t count, const uint8_t *other, size_t other_count, bool fold) {
    return gatehouse::unescaped_equals(text, count, other, other_count, fold);
}

bool csimdjson_double(const uint8_t *text, size_t count, double *value) {
    const char *const begin = reinterpret_cast<const char *>(text);
    const auto [end, error] = std::from_chars(begin, begin + count, *value);
    return error == std::errc() && end == begin + count;
}
