#include "cpu/bands.h"
#include "cpu/ops.h"
#include "cpu/taps.h"

namespace mien::MIEN_ISA {
namespace {

struct Range {
    int32_t first;
    int32_t last;  // not included
};

// Narrows `range` to the x where low <= slope * x + offset <= high, give or take a pixel.
Range narrowed(Range range, float slope, float offset, float low, float high) {
    if (slope == 0.0f) {
        const bool inside = offset >= low && offset <= high;
        return inside ? range : Range{0, 0};
    }
    const float a = (low - offset) / slope;
    const float b = (high - offset) / slope;
    const float limit = static_cast<float>(range.last);
    const int32_t first = static_cast<int32_t>(clamped(lesser(a, b) - 1.0f, 0.0f, limit));
    const int32_t last = static_cast<int32_t>(clamped(greater(a, b) + 2.0f, 0.0f, limit));
    return {greater(range.first, first), lesser(range.last, last)};
}

// The pixels of a frame row that may lie on the crop.
Range on_crop(const Paste& p, int32_t y) {
    const float row = static_cast<float>(y);
    Range range = {0, p.width};
    range =
        narrowed(range, p.matrix[0], p.matrix[1] * row + p.matrix[2], -0.5f, static_cast<float>(p.crop_width) - 0.5f);
    return narrowed(range, p.matrix[3], p.matrix[4] * row + p.matrix[5], -0.5f,
                    static_cast<float>(p.crop_height) - 0.5f);
}

constexpr int32_t kRun = 32;  // pixels of a row that are looked at together

// Whether the mask is zero in all that `count` pixels of a row may look at. A NaN is not zero.
bool masked_out(const Paste& p, int32_t y, int32_t x, int32_t count) {
    const float row = static_cast<float>(y);
    const float begin = static_cast<float>(x);
    const float end = static_cast<float>(x + count - 1);
    const float ax = affine(p.matrix, begin, row);
    const float bx = affine(p.matrix, end, row);
    const float ay = affine(p.matrix + 3, begin, row);
    const float by = affine(p.matrix + 3, end, row);
    const int32_t left = border_axis(lesser(ax, bx), p.crop_width).low;
    const int32_t right = border_axis(greater(ax, bx), p.crop_width).high;
    const int32_t bottom = border_axis(greater(ay, by), p.crop_height).high;
    for (int32_t line = border_axis(lesser(ay, by), p.crop_height).low; line <= bottom; ++line) {
        const float* mask = p.mask + static_cast<int64_t>(line) * p.crop_width;
        int32_t found = 0;
        for (int32_t i = left; i <= right; ++i)
            found |= mask[i] != 0.0f;
        if (found != 0) return false;
    }
    return true;
}

// Narrows `range` to its first run of pixels that the mask may show.
Range shown(const Paste& p, int32_t y, Range range) {
    if (p.mask == nullptr) return range;
    while (range.first < range.last && masked_out(p, y, range.first, lesser(kRun, range.last - range.first)))
        range.first += kRun;
    int32_t end = range.first;
    while (end < range.last && !masked_out(p, y, end, lesser(kRun, range.last - end)))
        end += kRun;
    return {range.first, lesser(end, range.last)};
}

// Multiplies the weights of a chunk by the mask at its positions.
void apply_mask(const Paste& p, int32_t count, const float (*at)[kChunk], float* alpha) {
    Taps taps;
    border_taps({p.crop_height, p.crop_width, 1}, 0, count, at[0], at[1], taps);
    for (int32_t i = 0; i < count; ++i) {
        const float* top = p.mask + taps.start[i];
        const float* bottom = top + taps.below[i];
        const int32_t right = taps.right[i];
        alpha[i] *= bilinear(top[0], top[right], bottom[0], bottom[right], taps.across[i], taps.down[i]);
    }
}

template <int C>
void paste_chunk(const Paste& p, int32_t y, int32_t x, int32_t count) {
    float at[2][kChunk];
    float alpha[kChunk];
    for (int32_t i = 0; i < count; ++i) {
        at[0][i] = affine(p.matrix, static_cast<float>(x + i), static_cast<float>(y));
        at[1][i] = affine(p.matrix + 3, static_cast<float>(x + i), static_cast<float>(y));
        alpha[i] = feathered(border_distance(at[0][i], at[1][i], p.crop_width, p.crop_height), p.inverse_feather);
    }
    if (p.mask != nullptr) apply_mask(p, count, at, alpha);
    for (int32_t i = 0; i < count; ++i)
        alpha[i] *= p.opacity;
    Neighbours<C> found;
    look<C>(p.crop, {p.crop_height, p.crop_width, C}, Padding::border, count, at, found);
    uint8_t* row = p.frame + (static_cast<int64_t>(y) * p.width + x) * C;
    uint32_t pixels[kChunk];
    load_row<C>(row, count, pixels);
    for (int32_t i = 0; i < count; ++i) {
        uint32_t pixel = 0;
        for (int c = 0; c < C; ++c) {
            const float frame = channel_of(pixels[i], c);
            pixel |= channel_at(pasted(frame, tapped(found, i, c), p.gain[c], p.bias[c], alpha[i]), c);
        }
        pixels[i] = pixel;
    }
    store_row<C>(pixels, count, row);
}

template <int C>
void paste_rows(const Paste& p, int32_t first, int32_t last) {
    for (int32_t y = first; y < last; ++y) {
        const Range range = on_crop(p, y);
        for (Range run = shown(p, y, range); run.first < range.last; run = shown(p, y, {run.last, range.last})) {
            for (int32_t x = run.first; x < run.last; x += kChunk) {
                paste_chunk<C>(p, y, x, lesser(kChunk, run.last - x));
            }
        }
    }
}

}  // namespace

void paste(const Paste& p, int threads) {
    for_bands(p.height, p.width, threads, [&p](int32_t first, int32_t last) {
        if (p.channels == 1) return paste_rows<1>(p, first, last);
        if (p.channels == 2) return paste_rows<2>(p, first, last);
        if (p.channels == 3) return paste_rows<3>(p, first, last);
        paste_rows<4>(p, first, last);
    });
}

}  // namespace mien::MIEN_ISA
