#include "Fault.hpp"

namespace gatehouse {
namespace {

/// Prefixes of a pattern tell where it goes wrong; of a long one not all are tried.
constexpr size_t most_attempts = 200;

class Prefixes {
public:
    Prefixes(re2::StringPiece pattern, const re2::RE2::Options &options) : pattern_(pattern), options_(options) {}

    /// The first place of `part` where the pattern up to and with it fails as the whole did.
    int64_t first_failing_like(const re2::RE2 &failed, const std::string &part) const {
        size_t attempts = 0;
        for (size_t place = text().find(part); place != std::string::npos && attempts < most_attempts;
             place = text().find(part, place + 1), ++attempts) {
            const re2::RE2 prefix(re2::StringPiece(pattern_.data(), place + part.size()), options_);
            if (prefix.error_code() == failed.error_code() && (prefix.error_arg() == part || part == ")")) {
                return static_cast<int64_t>(place);
            }
        }
        return -1;
    }

    /// The last parenthesis that opens after a whole expression: the outermost that is never closed.
    int64_t unclosed_parenthesis() const {
        size_t attempts = 0;
        for (size_t place = text().rfind('('); place != std::string::npos && attempts < most_attempts; ++attempts) {
            const re2::RE2 prefix(re2::StringPiece(pattern_.data(), place), options_);
            if (prefix.ok()) return static_cast<int64_t>(place);
            if (place == 0) break;
            place = text().rfind('(', place - 1);
        }
        return -1;
    }

private:
    std::string text() const { return std::string(pattern_.data(), pattern_.size()); }

    const re2::StringPiece pattern_;
    const re2::RE2::Options &options_;
};

}  // namespace

int64_t fault_offset(re2::StringPiece pattern, const re2::RE2 &failed, const re2::RE2::Options &options) {
    const Prefixes prefixes(pattern, options);
    switch (failed.error_code()) {
    case re2::RE2::ErrorPatternTooLarge: return -1;
    case re2::RE2::ErrorMissingParen: return prefixes.unclosed_parenthesis();
    case re2::RE2::ErrorUnexpectedParen: return prefixes.first_failing_like(failed, ")");
    case re2::RE2::ErrorTrailingBackslash: return static_cast<int64_t>(pattern.size()) - 1;
    default:
        return failed.error_arg().empty() ? -1 : prefixes.first_failing_like(failed, failed.error_arg());
    }
}

std::string fault_message(const re2::RE2 &failed) {
    const std::string &message = failed.error();
    const std::string &part = failed.error_arg();
    const size_t tail = part.size() + 2;
    if (!part.empty() && message.size() > tail && message.compare(message.size() - tail, 2, ": ") == 0) {
        return message.substr(0, message.size() - tail);
    }
    return message;
}

}  // namespace gatehouse
