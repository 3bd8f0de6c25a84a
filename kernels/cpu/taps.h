// Bilinear sampling of a chunk: where to look for all its pixels, then the looking, then the arithmetic for all.
#pragma once

#include "cpu/chunk.h"
#include "mien/sample.h"

namespace mien::MIEN_ISA {

struct Extent {
    int32_t height;
    int32_t width;
    int32_t channels;
};

// For each pixel the top left neighbour's element offset, the steps to the others, and the fractions. `start` is
// negative where the four cannot be read without a look at the borders.
struct Taps {
    int32_t start[kChunk];
    int32_t right[kChunk];
    int32_t below[kChunk];
    float across[kChunk];
    float down[kChunk];
};

// `overread`: elements that are read beyond a pixel's channels.
inline void border_taps(Extent extent, int32_t overread, int32_t count, const float* px, const float* py, Taps& taps) {
    const int32_t pitch = extent.width * extent.channels;
    const int32_t last_start = extent.height * pitch - extent.channels - overread;
    for (int32_t i = 0; i < count; ++i) {
        const Axis x = border_axis(px[i], extent.width);
        const Axis y = border_axis(py[i], extent.height);
        const int32_t start = y.low * pitch + x.low * extent.channels;
        const int32_t right = (x.high - x.low) * extent.channels;
        const int32_t below = (y.high - y.low) * pitch;
        taps.start[i] = start + right + below > last_start ? -1 : start;
        taps.right[i] = right;
        taps.below[i] = below;
        taps.across[i] = x.fraction;
        taps.down[i] = y.fraction;
    }
}

inline void zero_taps(Extent extent, int32_t overread, int32_t count, const float* px, const float* py, Taps& taps) {
    const int32_t pitch = extent.width * extent.channels;
    const int32_t last_start = extent.height * pitch - extent.channels - overread;
    for (int32_t i = 0; i < count; ++i) {
        const Axis x = zero_axis(px[i], extent.width);
        const Axis y = zero_axis(py[i], extent.height);
        const int32_t start = y.low * pitch + x.low * extent.channels;
        // One number that is negative if anything is outside: the compiler vectorises this, but no chain of conditions.
        const int32_t across = lesser(x.low, extent.width - 1 - x.high);
        const int32_t down = lesser(y.low, extent.height - 1 - y.high);
        const int32_t room = lesser(lesser(across, down), last_start - extent.channels - pitch - start);
        taps.start[i] = room < 0 ? -1 : start;
        taps.right[i] = extent.channels;
        taps.below[i] = pitch;
        taps.across[i] = x.fraction;
        taps.down[i] = y.fraction;
    }
}

inline void fill_taps(Padding padding, Extent extent, int32_t overread, int32_t count, const float* px, const float* py,
                      Taps& taps) {
    if (padding == Padding::border) return border_taps(extent, overread, count, px, py, taps);
    zero_taps(extent, overread, count, px, py, taps);
}

// The four neighbours of each pixel of a chunk, and how to mix them.
struct Neighbours {
    uint32_t pixels[4][kChunk];  // top left, top right, bottom left, bottom right
    Taps taps;
};

template <int C>
uint32_t pixel_or_zero(const uint8_t* picture, Extent extent, int32_t y, int32_t x) {
    if (y < 0 || y >= extent.height || x < 0 || x >= extent.width) return 0;
    return load_pixel<C>(picture + (y * extent.width + x) * C);
}

template <int C>
void look_carefully(const uint8_t* picture, Extent extent, Axis y, Axis x, int32_t i, Neighbours& found) {
    found.pixels[0][i] = pixel_or_zero<C>(picture, extent, y.low, x.low);
    found.pixels[1][i] = pixel_or_zero<C>(picture, extent, y.low, x.high);
    found.pixels[2][i] = pixel_or_zero<C>(picture, extent, y.high, x.low);
    found.pixels[3][i] = pixel_or_zero<C>(picture, extent, y.high, x.high);
}

// For a picture of C = 1..4 channels.
template <int C>
void look(const uint8_t* picture, Extent extent, Padding padding, int32_t count, const float (*at)[kChunk],
          Neighbours& found) {
    Taps& taps = found.taps;
    fill_taps(padding, extent, 4 - C, count, at[0], at[1], taps);
    for (int32_t i = 0; i < count; ++i) {
        if (taps.start[i] < 0) {
            const Axis x = padded_axis(at[0][i], extent.width, padding);
            const Axis y = padded_axis(at[1][i], extent.height, padding);
            look_carefully<C>(picture, extent, y, x, i, found);
            continue;
        }
        const uint8_t* top = picture + taps.start[i];
        const uint8_t* bottom = top + taps.below[i];
        found.pixels[0][i] = load_four(top);
        found.pixels[1][i] = load_four(top + taps.right[i]);
        found.pixels[2][i] = load_four(bottom);
        found.pixels[3][i] = load_four(bottom + taps.right[i]);
    }
}

inline float tapped(const Neighbours& found, int32_t i, int channel) {
    return bilinear(channel_of(found.pixels[0][i], channel), channel_of(found.pixels[1][i], channel),
                    channel_of(found.pixels[2][i], channel), channel_of(found.pixels[3][i], channel),
                    found.taps.across[i], found.taps.down[i]);
}

}  // namespace mien::MIEN_ISA
