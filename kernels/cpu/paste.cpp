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
