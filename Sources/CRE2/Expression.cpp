#include "include/CRE2.h"

#include "Fault.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <re2/re2.h>

struct cre2_expression {
    cre2_expression(re2::StringPiece pattern, const re2::RE2::Options &options) : compiled(pattern, options) {}

    re2::RE2 compiled;
};

namespace {

void set(cre2_failure &failure, cre2_status status, int64_t offset, const std::string &message) noexcept {
    failure.status = status;
    failure.offset = offset;
    const size_t count = std::min(message.size(), sizeof failure.message - 1);
    std::memcpy(failure.message, message.data(), count);
    failure.message[count] = 0;
}

}  // namespace

cre2_expression *cre2_expression_create(
    const char *pattern, size_t count, int64_t maximum_memory, cre2_failure *failure) {
    try {
        set(*failure, cre2_status_ok, -1, "");
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(maximum_memory);
        const re2::StringPiece text(pattern, count);
        auto *expression = new cre2_expression(text, options);
        if (expression->compiled.ok()) return expression;
        const bool is_large = expression->compiled.error_code() == re2::RE2::ErrorPatternTooLarge;
        set(*failure, is_large ? cre2_status_too_large : cre2_status_invalid_pattern,
            gatehouse::fault_offset(text, expression->compiled, options), gatehouse::fault_message(expression->compiled));
        delete expression;
        return nullptr;
    } catch (...) {
        set(*failure, cre2_status_out_of_memory, -1, std::string());
        return nullptr;
    }
}

void cre2_expression_destroy(cre2_expression *expression) { delete expression; }

bool cre2_expression_matches(const cre2_expression *expression, const char *text, size_t count) {
    try {
        const re2::StringPiece whole(text, count);
        return expression->compiled.Match(whole, 0, count, re2::RE2::UNANCHORED, nullptr, 0);
    } catch (...) {
        return false;
    }
}
