// Bilinear sampling. Pixel centres have integer coordinates: pixel (0, 0) covers -0.5..0.5.
#pragma once

#include "mien/portable.h"

namespace mien::MIEN_ISA {

// The two neighbours of a position along one axis and how far it lies from the lower one.
struct Axis {
    int32_t low;
    int32_t high;
    float fraction;
};

// Positions outside are moved to the border, which repeats it.
MIEN_HD Axis border_axis(float position, int32_t size) {
    const float inside = clamped(position, 0.0f, static_cast<float>(size - 1));
    const int32_t low = static_cast<int32_t>(inside);
    return {low, lesser(low + 1, size - 1), inside - static_cast<float>(low)};
}

// Neighbours may lie outside of 0..size-1, where the picture is zero.
MIEN_HD Axis zero_axis(float position, int32_t size) {
    const float near = clamped(position, -1.0f, static_cast<float>(size));
    const int32_t low = floored(near);
    return {low, low + 1, near - static_cast<float>(low)};
}

MIEN_HD Axis padded_axis(float position, int32_t size, Padding padding) {
    return padding == Padding::border ? border_axis(position, size) : zero_axis(position, size);
}

// V is float, or a vector of floats over channels.
template <class V>
MIEN_HD V bilinear(V top_left, V top_right, V bottom_left, V bottom_right, float across, float down) {
    return mixed(mixed(top_left, top_right, across), mixed(bottom_left, bottom_right, across), down);
}

// One channel of a (height, width, channels) picture; what lies outside is zero.
template <class T>
MIEN_HD float texel_or_zero(const T* picture, int32_t height, int32_t width, int32_t channels, int32_t y, int32_t x,
                            int32_t channel) {
    if (y < 0 || y >= height || x < 0 || x >= width) return 0.0f;
    return static_cast<float>(picture[(y * width + x) * channels + channel]);
}

// One channel of a (height, width, channels) picture at a position between pixels: the definition that the fast paths
// of every device repeat.
template <class T>
MIEN_HD float sampled(const T* picture, int32_t height, int32_t width, int32_t channels, Axis y, Axis x,
                      int32_t channel) {
    return bilinear(texel_or_zero(picture, height, width, channels, y.low, x.low, channel),
                    texel_or_zero(picture, height, width, channels, y.low, x.high, channel),
                    texel_or_zero(picture, height, width, channels, y.high, x.low, channel),
                    texel_or_zero(picture, height, width, channels, y.high, x.high, channel), x.fraction, y.fraction);
}

// Where pixel `index` of an axis of `out_size` pixels lies on one of `size` pixels over the same extent;
// `ratio` is size / out_size.
MIEN_HD float scaled_position(int32_t index, float ratio) {
    return (static_cast<float>(index) + 0.5f) * ratio - 0.5f;
}

MIEN_HD float size_ratio(int32_t size, int32_t out_size) {
    return static_cast<float>(size) / static_cast<float>(out_size);
}

// One row of a 2 x 3 matrix applied to a pixel.
MIEN_HD float affine(const float* row, float x, float y) {
    return row[0] * x + (row[1] * y + row[2]);
}

}  // namespace mien::MIEN_ISA
