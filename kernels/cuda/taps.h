// The four neighbours of a position in a (height, width, channels) picture, and how to mix them.
#pragma once

#include "cuda/element.h"
#include "mien/sample.h"

namespace mien::cuda {

struct Taps {
    int32_t top_left;  // offsets of the pixels' first channels; -1 where a neighbour lies outside, and is zero
    int32_t top_right;
    int32_t bottom_left;
    int32_t bottom_right;
    float across;
    float down;
};

__device__ inline int32_t tap(int32_t y, int32_t x, int32_t height, int32_t width, int32_t channels) {
    const bool inside = y >= 0 && y < height && x >= 0 && x < width;
    return inside ? (y * width + x) * channels : -1;
}

__device__ inline Taps taps_at(float x_at, float y_at, int32_t height, int32_t width, int32_t channels,
                               Padding padding) {
    const Axis x = padded_axis(x_at, width, padding);
    const Axis y = padded_axis(y_at, height, padding);
    return {tap(y.low, x.low, height, width, channels),
            tap(y.low, x.high, height, width, channels),
            tap(y.high, x.low, height, width, channels),
            tap(y.high, x.high, height, width, channels),
            x.fraction,
            y.fraction};
}

template <class T>
__device__ float texel(const T* picture, int32_t offset, int32_t channel) {
    return offset < 0 ? 0.0f : to_float(picture[offset + channel]);
}

template <class T>
__device__ float tapped(const T* picture, const Taps& t, int32_t channel) {
    return bilinear(texel(picture, t.top_left, channel), texel(picture, t.top_right, channel),
                    texel(picture, t.bottom_left, channel), texel(picture, t.bottom_right, channel), t.across, t.down);
}

}  // namespace mien::cuda
