#include "include/CRE2.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <re2/filtered_re2.h>
#include <string>
#include <vector>

struct cre2_texts {
    std::vector<std::string> texts;
};

namespace {

/// Beyond so many texts nothing is gained by looking for a smaller choice.
constexpr size_t most_weighed = 64;

/// Shorter texts stand nearly everywhere.
constexpr int shortest = 2;

/// The expression's filter, asked what it needs.
class Filter {
public:
    Filter(re2::StringPiece pattern, const re2::RE2::Options &options) : filter_(shortest) {
        int id = 0;
        if (filter_.Add(pattern, options, &id) == re2::RE2::NoError) filter_.Compile(&texts);
    }

    /// Whether a match needs one of these texts: without any of them it is impossible.
    bool needs_one_of(const std::vector<int> &chosen) const {
        std::vector<int> others;
        for (int text = 0; text < static_cast<int>(texts.size()); ++text) {
            if (std::find(chosen.begin(), chosen.end(), text) == chosen.end()) others.push_back(text);
        }
        std::vector<int> possible;
        filter_.AllPotentials(others, &possible);
        return possible.empty();
    }

    std::vector<std::string> texts;

private:
    re2::FilteredRE2 filter_;
};

/// As few texts as can be had by leaving out one after the other, the shortest first.
std::vector<int> fewest(const Filter &filter) {
    std::vector<int> chosen(filter.texts.size());
    std::iota(chosen.begin(), chosen.end(), 0);
    if (chosen.empty() || !filter.needs_one_of(chosen)) return {};
    if (chosen.size() > most_weighed) return chosen;
    std::vector<int> order = chosen;
    std::sort(order.begin(), order.end(), [&](int one, int other) {
        const size_t ones = filter.texts[one].size(), others = filter.texts[other].size();
        return ones != others ? ones < others : one < other;
    });
    for (const int text : order) {
        std::vector<int> fewer;
        std::copy_if(chosen.begin(), chosen.end(), std::back_inserter(fewer), [&](int known) { return known != text; });
        if (!fewer.empty() && filter.needs_one_of(fewer)) chosen = fewer;
    }
    return chosen;
}

}  // namespace

cre2_texts *cre2_required_texts(const char *pattern, size_t count, int64_t maximum_memory) {
    try {
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(maximum_memory);
        const Filter filter(re2::StringPiece(pattern, count), options);
        auto *texts = new cre2_texts;
        for (const int text : fewest(filter)) texts->texts.push_back(filter.texts[text]);
        return texts;
    } catch (...) {
        return nullptr;
    }
}

void cre2_texts_destroy(cre2_texts *texts) { delete texts; }

size_t cre2_texts_count(const cre2_texts *texts) { return texts->texts.size(); }

const char *cre2_text(const cre2_texts *texts, size_t index, size_t *count) {
    *count = texts->texts[index].size();
    return texts->texts[index].data();
}
