#ifndef CRE2_H
#define CRE2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled regular expression. It does not change; any number of threads may match with it at once.
typedef struct cre2_expression cre2_expression;

typedef enum __attribute__((enum_extensibility(closed))) cre2_status {
    cre2_status_ok,
    cre2_status_invalid_pattern,
    cre2_status_too_large,
    cre2_status_out_of_memory,
} cre2_status;

typedef struct {
    cre2_status status;
    /// The byte of the pattern where it went wrong; negative when it is the whole.
    int64_t offset;
    /// RE2's words for an invalid pattern, without the part of the pattern they speak of; cut where they are too long.
    char message[128];
} cre2_failure;

/// Compiles a pattern of RE2's syntax: unanchored, case-sensitive, UTF-8. Null, and `failure` is set, when it cannot be.
/// - `pattern`: valid UTF-8.
/// - `maximum_memory`: bytes that the expression and what it remembers while matching may take.
cre2_expression *_Nullable cre2_expression_create(
    const char *_Nullable pattern, size_t count, int64_t maximum_memory, cre2_failure *_Nonnull failure);

void cre2_expression_destroy(cre2_expression *_Nonnull expression);

/// Whether it is found anywhere in the text, in time linear in the text.
bool cre2_expression_matches(const cre2_expression *_Nonnull expression, const char *_Nullable text, size_t count);

/// Texts that a pattern needs.
typedef struct cre2_texts cre2_texts;

/// Texts in lower case, one of which stands, in any case, in every text that the pattern matches; none when there is no
/// such choice. Null when there is no memory.
/// - `pattern`: one that `cre2_expression_create` takes.
cre2_texts *_Nullable cre2_required_texts(const char *_Nullable pattern, size_t count, int64_t maximum_memory);

void cre2_texts_destroy(cre2_texts *_Nonnull texts);

size_t cre2_texts_count(const cre2_texts *_Nonnull texts);

/// - `index`: less than `cre2_texts_count`.
const char *_Nonnull cre2_text(const cre2_texts *_Nonnull texts, size_t index, size_t *_Nonnull count);

#ifdef __cplusplus
}
#endif

#endif
