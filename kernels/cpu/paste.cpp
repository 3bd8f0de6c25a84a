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

float mask_at(const Paste& p, float x, float y) {
    if (p.mask == nullptr) return 1.0f;
    const Axis across = border_axis(x, p.crop_width);
    const Axis down = border_axis(y, p.crop_height);
    return sampled(p.mask, p.crop_height, p.crop_width, 1, down, across, 0);
}

template <int C>
void paste_chunk(const Paste& p, int32_t y, int32_t x, int32_t count) {
    const Extent extent = {p.crop_height, p.crop_width, C};
    float at[2][kChunk];
    float alpha[kChunk];
    for (int32_t i = 0; i < count; ++i) {
        at[0][i] = affine(p.matrix, static_cast<float>(x + i), static_cast<float>(y));
        at[1][i] = affine(p.matrix + 3, static_cast<float>(x + i), static_cast<float>(y));
        alpha[i] = feathered(border_distance(at[0][i], at[1][i], p.crop_width, p.crop_height), p.inverse_feather);
    }
    Taps taps;
    border_taps(extent, kOverread<C>, count, at[0], at[1], taps);
    uint8_t* row = p.frame + (static_cast<int64_t>(y) * p.width + x) * C;
    for (int32_t i = 0; i < count; ++i) {
        if (!(alpha[i] > 0.0f)) continue;
        const float weight = alpha[i] * mask_at(p, at[0][i], at[1][i]);
        const Lanes crop = tapped<C>(p.crop, extent, Padding::border, taps, i, at[0][i], at[1][i]);
        for (int c = 0; c < C; ++c) {
            uint8_t* frame = row + i * C + c;
            *frame = pasted(static_cast<float>(*frame), crop[c], p.gain[c], p.bias[c], weight);
        }
    }
}

template <int C>
void paste_rows(const Paste& p, int32_t first, int32_t last) {
    for (int32_t y = first; y < last; ++y) {
        const Range range = on_crop(p, y);
        for (int32_t x = range.first; x < range.last; x += kChunk) {
            paste_chunk<C>(p, y, x, lesser(kChunk, range.last - x));
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
