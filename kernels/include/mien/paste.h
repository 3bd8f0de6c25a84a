// A crop put back into its frame, feathered and colour-matched.
#pragma once

#include "mien/sample.h"

namespace mien {

struct Paste {
    uint8_t* frame;       // (height, width, channels), changed in place
    const uint8_t* crop;  // (crop_height, crop_width, channels)
    const float* mask;    // (crop_height, crop_width), 0..1, or null: 1
    int32_t height;
    int32_t width;
    int32_t crop_height;
    int32_t crop_width;
    int32_t channels;       // 1..4
    float matrix[6];        // 2 x 3, frame pixel -> crop pixel
    float inverse_feather;  // 1 / crop pixels; very large for a hard edge
    float gain[4];          // per channel
    float bias[4];          // per channel, grey levels
    float opacity;          // 0..1, a factor of all weights
};

namespace MIEN_ISA {

// How far inside of the crop's border a position lies, in crop pixels; negative outside.
MIEN_HD float border_distance(float x, float y, int32_t width, int32_t height) {
    const float across = lesser(x + 0.5f, static_cast<float>(width) - 0.5f - x);
    const float down = lesser(y + 0.5f, static_cast<float>(height) - 0.5f - y);
    return lesser(across, down);
}

// 0 at the border, 1 from a feather's width on, smooth at both ends.
MIEN_HD float feathered(float distance, float inverse_feather) {
    const float t = clamped(distance * inverse_feather, 0.0f, 1.0f);
    return t * t * (3.0f - 2.0f * t);
}

MIEN_HD uint8_t pasted(float frame, float crop, float gain, float bias, float alpha) {
    return grey_level(mixed(frame, clamped(crop * gain + bias, 0.0f, 255.0f), alpha));
}

}  // namespace MIEN_ISA
}  // namespace mien
