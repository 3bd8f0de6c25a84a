// A flow whose rows and columns move by themselves: of a body that bends from row to row and is shifted as a whole.
#pragma once

#include "mien/portable.h"

namespace mien {

struct SpreadFlow {
    const float* rows;     // (height, 2): what is added along x in a row, and where all of it looks along y
    const float* columns;  // (width): where a column looks along x
    float* out;            // (height, width, 2): absolute positions, x then y
    int32_t height;
    int32_t width;
};

}  // namespace mien
