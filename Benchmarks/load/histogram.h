/* Durations counted in buckets that are at most 1/64 of their value wide. */
#ifndef GATEHOUSE_BENCHMARK_HISTOGRAM_H
#define GATEHOUSE_BENCHMARK_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_SUB_BITS = 6, HISTOGRAM_BUCKETS = (64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS };

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t total;
    uint64_t largest;
};

static inline int histogram_bucket(uint64_t value) {
    int high = value ? 63 - __builtin_clzll(value) : 0;
    if (high < HISTOGRAM_SUB_BITS) return (int)value;
    int shift = high - HISTOGRAM_SUB_BITS;
    return ((shift + 1) << HISTOGRAM_SUB_BITS) + (int)(value >> shift) - (1 << HISTOGRAM_SUB_BITS);
}

static inline uint64_t histogram_upper(int bucket) {
    if (bucket < 1 << HISTOGRAM_SUB_BITS) return (uint64_t)bucket;
    int shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
    uint64_t lower = (uint64_t)((bucket & ((1 << HISTOGRAM_SUB_BITS) - 1)) + (1 << HISTOGRAM_SUB_BITS)) << shift;
    return lower + ((uint64_t)1 << shift) - 1;
}

static inline void histogram_add(struct histogram *histogram, uint64_t value) {
    histogram->counts[histogram_bucket(value)]++;
    histogram->total++;
    if (value > histogram->largest) histogram->largest = value;
}

/* The value so much of all (0 to 1) is at most. */
static inline uint64_t histogram_quantile(const struct histogram *histogram, double share) {
    uint64_t wanted = (uint64_t)(share * (double)histogram->total), seen = 0;
    for (int bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->counts[bucket];
        if (seen > wanted) return histogram_upper(bucket);
    }
    return histogram->largest;
}

#endif
