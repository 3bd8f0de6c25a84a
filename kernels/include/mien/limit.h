// Values of one map limited by those of another: a part of the face by the one that it lies in.
#pragma once

#include "mien/portable.h"

namespace mien {

struct Limit {
    float* values;  // (count), changed in place
    const float* most;
    int64_t count;
};

namespace MIEN_ISA {

MIEN_HD float limited(float value, float most) {
    return most < value ? most : value;
}

}  // namespace MIEN_ISA
}  // namespace mien
