// The previous output carried to now by the flow, and mixed in where the two agree.
#pragma once

#include "mien/sample.h"

namespace mien {

struct TemporalBlend {
    const uint8_t* current;   // (height, width, channels)
    const uint8_t* previous;  // (height, width, channels)
    const float* flow;        // (flow_height, flow_width, 2): absolute pixels of `previous`, x then y
    const float* weight;      // (weight_height, weight_width) factor, or null: 1
    uint8_t* out;             // (height, width, channels); not `previous`
    int32_t height;
    int32_t width;
    int32_t channels;  // 3 or 4
    int32_t flow_height;
    int32_t flow_width;
    int32_t weight_height;
    int32_t weight_width;
    float strength;           // 0..1
    float inverse_threshold;  // 1 / grey levels
};

namespace MIEN_ISA {

// Whether a position lies on the picture, whose outermost pixels reach half a pixel beyond their centres.
MIEN_HD bool on_picture(float x, float y, int32_t width, int32_t height) {
    const bool across = (x >= -0.5f) & (x <= static_cast<float>(width) - 0.5f);
    const bool down = (y >= -0.5f) & (y <= static_cast<float>(height) - 0.5f);
    return across & down;
}

// `difference`: largest channel difference in grey levels.
MIEN_HD float temporal_weight(float difference, float strength, float inverse_threshold) {
    return strength * greater(0.0f, 1.0f - difference * inverse_threshold);
}

}  // namespace MIEN_ISA
}  // namespace mien
