// How far a coarse flow between two frames is to be followed, and the flow made exact where nothing has moved.
#pragma once

#include "mien/portable.h"

namespace mien {

struct WeighFlow {
    float* flow;         // (height, width, 2): absolute positions in the picture, changed in place
    const float* depth;  // (height, width): infinite where the mesh shows nothing
    float* weight;       // (height, width): 0..1
    int32_t height;
    int32_t width;
    float share_x;       // cells to a pixel of the picture
    float share_y;       // the same, downwards
    float still;         // pixels below which nothing has moved
    float inverse_calm;  // 1 / pixels at which the weight is a half
};

namespace MIEN_ISA {

// The position in the picture of a cell's middle.
MIEN_HD float cell_position(int32_t index, float share) {
    return (static_cast<float>(index) + 0.5f) / share - 0.5f;
}

MIEN_HD float apart(float a, float b) {
    const float way = a - b;
    return way < 0.0f ? -way : way;
}

MIEN_HD float weight_of_way(float way, float inverse_calm) {
    const float scaled = way * inverse_calm;
    return 1.0f / (scaled * scaled + 1.0f);
}

// One cell: its position is set in place where it is still, and its weight is given. Beyond the outermost cells a
// coarse flow is no longer where it says, so these weigh nothing.
MIEN_HD float weighed(const WeighFlow& p, int32_t y, int32_t x, float depth, float* at) {
    const float own_x = cell_position(x, p.share_x);
    const float own_y = cell_position(y, p.share_y);
    const float way = greater(apart(at[0], own_x), apart(at[1], own_y));
    const bool rests = (way < p.still) | (depth > 3.402823466e38f);
    at[0] = rests ? own_x : at[0];
    at[1] = rests ? own_y : at[1];
    const bool outermost = (y == 0) | (y == p.height - 1) | (x == 0) | (x == p.width - 1);
    return outermost ? 0.0f : weight_of_way(rests ? 0.0f : way, p.inverse_calm);
}

}  // namespace MIEN_ISA
}  // namespace mien
