#ifndef CSIMDJSON_H
#define CSIMDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A parser and its buffers, reused from text to text. One thread at a time.
typedef struct csimdjson_parser csimdjson_parser;

/// The low three bits of a node's `info`.
enum {
    csimdjson_kind_null = 0,
    csimdjson_kind_true = 1,
    csimdjson_kind_false = 2,
    csimdjson_kind_integer = 3,
    csimdjson_kind_decimal = 4,
    csimdjson_kind_string = 5,
    csimdjson_kind_array = 6,
    csimdjson_kind_object = 7,
};

enum {
    csimdjson_kind_mask = 7,
    /// A string with at least one backslash.
    csimdjson_flag_escapes = 8,
    /// A string with a lone surrogate, or an array or object with such a string inside.
    csimdjson_flag_unclean = 16,
    /// The number of elements or members stands above the flags.
    csimdjson_count_shift = 5,
};

/// One value or key. The children of a container follow it; keys and values alternate in an object.
typedef struct {
    /// The bytes of the text, quotes or brackets included.
    uint32_t start;
    uint32_t end;
    uint32_t info;
    /// The node after this one and all that is inside it.
    uint32_t next;
} csimdjson_node;

typedef enum __attribute__((enum_extensibility(closed))) csimdjson_status {
    csimdjson_status_ok,
    csimdjson_status_empty,
    csimdjson_status_invalid_utf8,
    csimdjson_status_too_deep,
    csimdjson_status_too_large,
    csimdjson_status_duplicate_key,
    csimdjson_status_trailing_content,
    csimdjson_status_unexpected_end,
    csimdjson_status_expected_value,
    csimdjson_status_expected_key,
    csimdjson_status_expected_colon,
    csimdjson_status_expected_comma_in_array,
    csimdjson_status_expected_comma_in_object,
    csimdjson_status_trailing_comma,
    csimdjson_status_invalid_number,
    csimdjson_status_invalid_literal,
    csimdjson_status_invalid_escape,
    csimdjson_status_control_character,
    csimdjson_status_unterminated_string,
    csimdjson_status_out_of_memory,
    csimdjson_status_internal,
} csimdjson_status;

typedef struct {
    csimdjson_status status;
    /// The byte of the text where it went wrong; negative when unknown.
    int64_t offset;
    /// `tokenize`: how many nodes `build` may write. `build`: how many it wrote.
    size_t nodes;
} csimdjson_result;

/// Null when there is no memory or no randomness.
csimdjson_parser *_Nullable csimdjson_parser_create(void);
void csimdjson_parser_destroy(csimdjson_parser *_Nonnull parser);

/// Copies the text, finds its tokens and checks its UTF-8. At most 128 MiB.
csimdjson_result csimdjson_parser_tokenize(
    csimdjson_parser *_Nonnull parser, const uint8_t *_Nullable text, size_t count);

/// Checks the grammar of the text last tokenized and writes its nodes. Call once after each `tokenize`.
csimdjson_result csimdjson_parser_build(
    csimdjson_parser *_Nonnull parser, csimdjson_node *_Nonnull nodes, size_t capacity, size_t maximum_depth);

/// Gives back what a large text needed; small buffers stay for the next text.
void csimdjson_parser_trim(csimdjson_parser *_Nonnull parser);

/// Resolves the escapes of a string's inside that `build` has accepted. `out` holds at least `count` bytes.
/// Returns the number of bytes written.
size_t csimdjson_unescape(const uint8_t *_Nonnull text, size_t count, uint8_t *_Nonnull out);

/// Whether a string's inside, its escapes resolved, is the given text. `fold`: ASCII letters match in either case.
bool csimdjson_unescaped_equals(
    const uint8_t *_Nonnull text, size_t count, const uint8_t *_Nonnull other, size_t other_count, bool fold);

/// Reads a number that `build` has accepted. False when it is too large or too small for a double.
bool csimdjson_double(const uint8_t *_Nonnull text, size_t count, double *_Nonnull value);

#ifdef __cplusplus
}
#endif

#endif
