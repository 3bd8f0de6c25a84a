// A network's output as a picture.
#pragma once

#include "mien/portable.h"

namespace mien {

struct ToImage {
    const float* tensor;  // (channels, height, width) or (height, width, channels)
    uint8_t* out;         // (height, width, channels)
    int32_t height;
    int32_t width;
    int32_t channels;
    float scale;  // grey level = value * scale + bias, rounded and clipped
    float bias;
    Layout layout;
};

namespace MIEN_ISA {

MIEN_HD uint8_t image_element(float value, float scale, float bias) {
    return grey_level(value * scale + bias);
}

}  // namespace MIEN_ISA
}  // namespace mien
