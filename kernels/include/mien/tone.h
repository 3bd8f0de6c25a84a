// Every colour replaced by the one that belongs to its brightness: a picture in grey, in sepia.
#pragma once

#include "mien/portable.h"

namespace mien {

struct Tone {
    uint8_t* picture;        // (pixels, 3), changed in place
    const uint8_t* colours;  // (256, 3), by brightness
    int64_t pixels;
};

namespace MIEN_ISA {

// In whole levels; shares in 256ths (ITU-R BT.601).
MIEN_HD int32_t brightness(int32_t red, int32_t green, int32_t blue) {
    return (77 * red + 150 * green + 29 * blue) >> 8;
}

}  // namespace MIEN_ISA
}  // namespace mien
