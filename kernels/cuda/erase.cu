#include "cuda/element.h"
#include "cuda/ops.h"
#include "mien/erase.h"

namespace mien::cuda {
namespace {

// Sum of the areas of three cells of one column, from above downwards.
__device__ float column_of_areas(const Erase& p, const int32_t (&rows)[3], int32_t column) {
    const int64_t floats = static_cast<int64_t>(p.width) * 2;
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < 3; ++i) {
        const float area = source_area(p.flow + 2 * rows[i] * floats + static_cast<int64_t>(column) * 4, floats);
        sum = i == 0 ? area : sum + area;
    }
    return sum;
}

__device__ void erase_pixel(const Erase& p, int64_t pixel, float stretch) {
    const float share = erased_share(stretch, p.mouth[pixel], p.gain);
    uint8_t* at = p.picture + pixel * 3;
#pragma unroll
    for (int c = 0; c < 3; ++c)
        at[c] = grey_level(mixed(to_float(at[c]), p.nothing, share));
}

// One cell of 2 x 2 pixels per thread.
__global__ void __launch_bounds__(kThreads) erase_kernel(Erase p) {
    const int32_t across = p.width / 2;
    const int32_t down = p.height / 2;
    const int64_t index = work_index();
    if (index >= static_cast<int64_t>(down) * across) return;
    const int32_t y = static_cast<int32_t>(index / across);
    const int32_t x = static_cast<int32_t>(index - static_cast<int64_t>(y) * across);
    const int32_t rows[3] = {greater(y - 1, 0), y, lesser(y + 1, down - 1)};
    const float left = column_of_areas(p, rows, greater(x - 1, 0));
    const float middle = column_of_areas(p, rows, x);
    const float right = column_of_areas(p, rows, lesser(x + 1, across - 1));
    const float stretch = stretched((left + middle + right) / 9.0f, p.bearable, p.span);
    const int64_t pixel = static_cast<int64_t>(2 * y) * p.width + 2 * x;
    erase_pixel(p, pixel, stretch);
    erase_pixel(p, pixel + 1, stretch);
    erase_pixel(p, pixel + p.width, stretch);
    erase_pixel(p, pixel + p.width + 1, stretch);
}

}  // namespace

Status erase(const Erase& p, Stream stream) {
    return launch_for(static_cast<int64_t>(p.height / 2) * (p.width / 2), erase_kernel, stream, p);
}

}  // namespace mien::cuda
