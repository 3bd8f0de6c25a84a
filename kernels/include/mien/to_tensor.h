// A picture cropped by an affine map, resized and scaled into a network's input, in one pass.
#pragma once

#include "mien/sample.h"

namespace mien {

struct ToTensor {
    const uint8_t* image;  // (height, width, channels)
    float* out;            // (channels, out_height, out_width) or (out_height, out_width, channels)
    int32_t height;
    int32_t width;
    int32_t channels;  // 1..4
    int32_t out_height;
    int32_t out_width;
    int32_t taps;     // samples per axis that are averaged for one pixel; see taps_for
    float matrix[6];  // 2 x 3, out pixel -> image pixel
    float scale;      // out = value * scale + bias
    float bias;
    Layout layout;
    Padding padding;
};

namespace MIEN_ISA {

constexpr int32_t kMostTaps = 64;

// Up to twofold reduction one bilinear sample sees every pixel; beyond, samples stand at most 1.5 pixels apart.
// `stretch`: image pixels per out pixel along the faster axis.
MIEN_HD int32_t taps_for(float stretch) {
    if (!(stretch > 2.0f)) return 1;
    return lesser(static_cast<int32_t>(lesser(stretch, 1e6f) / 1.5f) + 1, kMostTaps);
}

// Where tap `index` of `taps` stands relative to the pixel's centre, in out pixels.
MIEN_HD float tap_offset(int32_t index, int32_t taps) {
    return (static_cast<float>(index) + 0.5f) / static_cast<float>(taps) - 0.5f;
}

}  // namespace MIEN_ISA
}  // namespace mien
