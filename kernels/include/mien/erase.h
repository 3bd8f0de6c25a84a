// What a warp cannot show replaced by one grey: the inner mouth, and where the flow stretches or mirrors too much.
#pragma once

#include "mien/portable.h"

namespace mien {

struct Erase {
    uint8_t* picture;    // (height, width, 3), changed in place
    const float* mouth;  // (height, width): how much of each pixel the inner mouth covers
    const float* flow;   // (height, width, 2): absolute positions, x then y
    int32_t height;      // even
    int32_t width;       // even
    float nothing;       // the grey
    float gain;          // from the mouth's cover to how much is erased
    float bearable;      // pixels of the source per pixel above which nothing is erased
    float span;          // pixels of the source from there down to where everything is
};

namespace MIEN_ISA {

// Area in the source of a pixel that stands for a cell of 2 x 2: the determinant of the flow's derivative. `at`: the
// cell's first pixel; `row`: floats in a row of the flow. Rounded once after the difference, as a fused operation is.
MIEN_HD float source_area(const float* at, int64_t row) {
    const float right_x = at[2] - at[0];
    const float right_y = at[3] - at[1];
    const float down_x = at[row] - at[0];
    const float down_y = at[row + 1] - at[1];
    const float minus = right_y * down_x;
    return static_cast<float>(static_cast<double>(right_x) * static_cast<double>(down_y) - static_cast<double>(minus));
}

// 1 where cells of this mean area show nothing of use, 0 where they are as they should be.
MIEN_HD float stretched(float area, float bearable, float span) {
    return clamped((bearable - area) / span, 0.0f, 1.0f);
}

MIEN_HD float erased_share(float stretch, float mouth, float gain) {
    return greater(stretch, lesser(mouth * gain, 1.0f));
}

}  // namespace MIEN_ISA
}  // namespace mien
