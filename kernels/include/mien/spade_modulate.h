// Instance statistics, (1 + gamma) * normalised + beta, and an activation, in one.
#pragma once

#include "mien/portable.h"

namespace mien {

// Count, mean and summed squared deviation of some values. The mean is the unevaluated sum of two floats, so that
// values of a small spread around a large mean keep their digits when the mean is taken away from them.
struct Moments {
    float count;
    float mean;
    float mean_low;  // below half a unit in the last place of `mean`, but for rounding
    float squares;   // of deviations from the mean
};

struct SpadeModulate {
    const void* x;      // (batch, channels, pixels) or, channels last, (batch, pixels, channels), of `type`
    const void* gamma;  // like x
    const void* beta;   // like x
    void* out;          // like x; may be `x` itself, but neither gamma nor beta
    Moments* parts;     // room for part_count x batch x channels, where a device takes a plane in parts; else null
    int64_t pixels;     // height x width: what mean and variance are taken over, for every instance and channel
    int32_t batch;
    int32_t channels;
    int32_t part_count;
    float epsilon;  // added to the variance
    float slope;    // of negative results: 1 no activation, 0 ReLU, between the two a leaky one
    Type type;
    Layout layout;
};

namespace MIEN_ISA {

// Of `count` values (1 or more), from sums of their differences to a pivot and of the squares of these. Any pivot near
// the values will do, their rounded mean is best: what it misses the mean by is kept in mean_low, and taken out again.
MIEN_HD Moments moments_around(float pivot, float count, float sum, float squares) {
    const float low = sum / count;
    return {count, pivot, low, greater(squares - sum * low, 0.0f)};
}

// Of both together; the first may be empty (count 0).
MIEN_HD Moments joined(const Moments& a, const Moments& b) {
    if (a.count == 0.0f) return b;
    const float count = a.count + b.count;
    const float share = b.count / count;
    const float apart = (b.mean - a.mean) + (b.mean_low - a.mean_low);
    const float low = a.mean_low + apart * share;
    const float mean = a.mean + low;
    return {count, mean, low - (mean - a.mean), a.squares + b.squares + apart * apart * (a.count * share)};
}

// What a plane's elements need of its statistics.
struct Normal {
    float mean;
    float mean_low;
    float scale;  // 1 / sqrt(variance + epsilon)
};

MIEN_HD Normal normal_of(const Moments& m, float epsilon) {
    return {m.mean, m.mean_low, 1.0f / __builtin_sqrtf(m.squares / m.count + epsilon)};
}

MIEN_HD float activated(float value, float slope) {
    return value >= 0.0f ? value : value * slope;
}

MIEN_HD float modulated(float x, float gamma, float beta, const Normal& normal, float slope) {
    const float normalised = ((x - normal.mean) - normal.mean_low) * normal.scale;
    return activated((1.0f + gamma) * normalised + beta, slope);
}

}  // namespace MIEN_ISA
}  // namespace mien
