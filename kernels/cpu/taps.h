// Bilinear sampling of a chunk: where to look for all its pixels, then the looking, then the arithmetic for all.
#pragma once

#include "cpu/chunk.h"
#include "mien/sample.h"

namespace mien::MIEN_ISA {

constexpr int32_t kNothing = -2;

struct Extent {
    int32_t height;
    int32_t width;
    int32_t channels;
};

// For each pixel the top left neighbour's element offset, the steps to the others, and the fractions. `start` is
// negative where the four cannot be read without a look at the borders, kNothing where they are all zero.
struct Taps {
    int32_t start[kChunk];
    int32_t right[kChunk];
    int32_t below[kChunk];
    float across[kChunk];
    float down[kChunk];
};

// `span`: elements that are read from a left neighbour on, both neighbours or more; 0 where no more than they are.
inline void border_taps(Extent extent, int32_t span, int32_t count, const float* px, const float* py, Taps& taps) {
    const int32_t pitch = extent.width * extent.channels;
    const int32_t last_start = extent.height * pitch - span;
    for (int32_t i = 0; i < count; ++i) {
        const Axis x = border_axis(px[i], extent.width);
        const Axis y = border_axis(py[i], extent.height);
        const int32_t start = y.low * pitch + x.low * extent.channels;
        const int32_t below = (y.high - y.low) * pitch;
        taps.start[i] = start + below > last_start ? -1 : start;
        taps.right[i] = (x.high - x.low) * extent.channels;
        taps.below[i] = below;
        taps.across[i] = x.fraction;
        taps.down[i] = y.fraction;
    }
}

// Whether a position is so far outside along an axis that nothing is read there. Not so for NaN.
inline bool beyond(float position, int32_t size) {
    return (position <= -1.0f) | (position >= static_cast<float>(size));
}

inline void zero_taps(Extent extent, int32_t span, int32_t count, const float* px, const float* py, Taps& taps) {
    const int32_t pitch = extent.width * extent.channels;
    const int32_t last_start = extent.height * pitch - span;
    for (int32_t i = 0; i < count; ++i) {
        const Axis x = zero_axis(px[i], extent.width);
        const Axis y = zero_axis(py[i], extent.height);
        const int32_t last_row = lesser(y.low, extent.height - 1);  // beyond, the offset of a large picture overflows
        const int32_t start = last_row * pitch + lesser(x.low, extent.width - 1) * extent.channels;
        // One number that is negative if anything is outside: the compiler vectorises this, but no chain of conditions.
        const int32_t across = lesser(x.low, extent.width - 1 - x.high);
        const int32_t down = lesser(y.low, extent.height - 1 - y.high);
        const int32_t room = lesser(lesser(across, down), last_start - pitch - start);
        const bool nothing = beyond(px[i], extent.width) | beyond(py[i], extent.height);
        taps.start[i] = nothing ? kNothing : (room < 0 ? -1 : start);
        taps.right[i] = extent.channels;
        taps.below[i] = pitch;
        taps.across[i] = x.fraction;
        taps.down[i] = y.fraction;
    }
}

inline void fill_taps(Padding padding, Extent extent, int32_t span, int32_t count, const float* px, const float* py,
                      Taps& taps) {
    if (padding == Padding::border) return border_taps(extent, span, count, px, py, taps);
    zero_taps(extent, span, count, px, py, taps);
}

// The four neighbours of each pixel of a chunk, left and right together, and how to mix them.
template <int C>
struct Neighbours {
    uint64_t top[kChunk];
    uint64_t bottom[kChunk];
    Taps taps;
};

template <int C>
uint64_t paired(uint32_t left, uint32_t right) {
    return left | (static_cast<uint64_t>(right) << (8 * C));
}

inline uint64_t load_eight(const uint8_t* at) {
    uint64_t pair;
    __builtin_memcpy(&pair, at, 8);
    return pair;
}

template <int C>
uint32_t pixel_or_zero(const uint8_t* picture, Extent extent, int32_t y, int32_t x) {
    if (y < 0 || y >= extent.height || x < 0 || x >= extent.width) return 0;
    return load_pixel<C>(picture + (y * extent.width + x) * C);
}

template <int C>
uint64_t pair_or_zero(const uint8_t* picture, Extent extent, int32_t y, Axis x) {
    return paired<C>(pixel_or_zero<C>(picture, extent, y, x.low), pixel_or_zero<C>(picture, extent, y, x.high));
}

// For a picture of C = 1..4 channels. On the last column the right neighbour is whatever follows: its weight is zero.
template <int C>
void look(const uint8_t* picture, Extent extent, Padding padding, int32_t count, const float (*at)[kChunk],
          Neighbours<C>& found) {
    Taps& taps = found.taps;
    fill_taps(padding, extent, 8, count, at[0], at[1], taps);
    for (int32_t i = 0; i < count; ++i) {
        if (taps.start[i] == kNothing) {  // of a layer in a wide box this is a quarter of the pixels
            found.top[i] = found.bottom[i] = 0;
            continue;
        }
        if (taps.start[i] < 0) {
            const Axis x = padded_axis(at[0][i], extent.width, padding);
            const Axis y = padded_axis(at[1][i], extent.height, padding);
            found.top[i] = pair_or_zero<C>(picture, extent, y.low, x);
            found.bottom[i] = pair_or_zero<C>(picture, extent, y.high, x);
            continue;
        }
        const uint8_t* top = picture + taps.start[i];
        found.top[i] = load_eight(top);
        found.bottom[i] = load_eight(top + taps.below[i]);
    }
}

template <int C>
float tapped(const Neighbours<C>& found, int32_t i, int channel) {
    const uint32_t top_left = static_cast<uint32_t>(found.top[i]);
    const uint32_t top_right = static_cast<uint32_t>(found.top[i] >> (8 * C));
    const uint32_t bottom_left = static_cast<uint32_t>(found.bottom[i]);
    const uint32_t bottom_right = static_cast<uint32_t>(found.bottom[i] >> (8 * C));
    return bilinear(channel_of(top_left, channel), channel_of(top_right, channel), channel_of(bottom_left, channel),
                    channel_of(bottom_right, channel), found.taps.across[i], found.taps.down[i]);
}

}  // namespace mien::MIEN_ISA
