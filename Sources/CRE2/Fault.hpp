#pragma once

#include <cstdint>
#include <re2/re2.h>
#include <string>

namespace gatehouse {

/// The byte of the pattern where its fault is, or -1 when it is the whole. RE2 tells the faulty part, not its place.
int64_t fault_offset(re2::StringPiece pattern, const re2::RE2 &failed, const re2::RE2::Options &options);

/// RE2's words without the faulty part.
std::string fault_message(const re2::RE2 &failed);

}  // namespace gatehouse
