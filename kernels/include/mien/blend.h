// Two pictures joined by a mask. The smallest op: the template for new ones (see kernels/README.md).
#pragma once

#include "mien/portable.h"

namespace mien {

// The whole interface between callers and loops, the same for every device.
struct Blend {
    const void* under;  // (pixels, channels) of `type`
    const void* over;   // (pixels, over_channels) of `type`
    const void* mask;   // (pixels) of `mask_type`, or null: then the last of over's channels + 1 is the mask
    void* out;          // (pixels, channels) of `type`; may be `under` itself
    int64_t pixels;     // height x width
    int32_t channels;   // of under and out
    Type type;          // of under, over, out
    Type mask_type;     // f32: 0..1, u8: 0..255
};

namespace MIEN_ISA {

MIEN_HD float mask_weight(float value) {
    return value;
}
MIEN_HD float mask_weight(uint8_t value) {
    return static_cast<float>(value) * (1.0f / 255.0f);
}

// The arithmetic of one element, and the only place where it stands; `out` is written in its own type.
MIEN_HD void blend_element(uint8_t under, uint8_t over, float weight, uint8_t& out) {
    out = grey_level(mixed(static_cast<float>(under), static_cast<float>(over), weight));
}
MIEN_HD void blend_element(float under, float over, float weight, float& out) {
    out = mixed(under, over, weight);
}

}  // namespace MIEN_ISA
}  // namespace mien
