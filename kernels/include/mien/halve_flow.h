// A flow between two pictures for a grid half as fine: the mean over 2 x 2 cells, in coordinates of the new grid.
#pragma once

#include "mien/portable.h"

namespace mien {

struct HalveFlow {
    const float* flow;  // (2 * height, 2 * width, 2): absolute positions, x then y
    float* out;         // (height, width, 2)
    int32_t height;
    int32_t width;
};

namespace MIEN_ISA {

// The same coordinate at four neighbours: a quarter of the sum is the mean, an eighth is that mean in cells twice as
// large; the middle of a pair of cells lies a quarter of a cell before that of the first.
MIEN_HD float halved(float top_left, float top_right, float bottom_left, float bottom_right) {
    return ((top_left + bottom_left) + (top_right + bottom_right)) * 0.125f - 0.25f;
}

}  // namespace MIEN_ISA
}  // namespace mien
