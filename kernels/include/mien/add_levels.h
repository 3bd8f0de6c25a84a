// Grey levels added to all colours of a picture's pixels: the invisible mark.
#pragma once

#include "mien/portable.h"

namespace mien {

struct AddLevels {
    const uint8_t* base;    // (pixels, channels)
    const uint8_t* levels;  // (pixels): 128 adds nothing
    uint8_t* out;           // (pixels, channels); may be `base` itself
    int64_t pixels;         // height x width
    int32_t channels;       // 3, or 4 with an alpha, which stays
};

namespace MIEN_ISA {

constexpr int32_t kColours = 3;
constexpr int32_t kNoLevel = 128;

MIEN_HD uint8_t with_level(uint8_t value, uint8_t level) {
    const int32_t sum = static_cast<int32_t>(value) + static_cast<int32_t>(level) - kNoLevel;
    return static_cast<uint8_t>(lesser(greater(sum, 0), 255));
}

}  // namespace MIEN_ISA
}  // namespace mien
