#include "cuda/ops.h"
#include "cuda/taps.h"
#include "mien/draw_eye.h"

namespace mien::cuda {
namespace {

template <int C>
__global__ void __launch_bounds__(kThreads) draw_eye_kernel(DrawEye p) {
    const int64_t index = work_index();
    if (index >= static_cast<int64_t>(p.rows) * p.columns) return;
    const float mask = p.mask[index];
    if (mask == 0.0f) return;
    const int32_t row = static_cast<int32_t>(index / p.columns);
    const int32_t y = p.top + row;
    const int32_t x = p.left + static_cast<int32_t>(index - static_cast<int64_t>(row) * p.columns);
    const EyePoint at = eye_source(p, static_cast<float>(x), static_cast<float>(y));
    const Taps taps = taps_at(at.x, at.y, p.picture_height, p.picture_width, C, Padding::border);
    uint8_t* out = p.out + (static_cast<int64_t>(y) * p.width + x) * 3;
#pragma unroll
    for (int c = 0; c < 3; ++c) {
        const float drawn = to_float(grey_level(tapped(p.picture, taps, c)));
        out[c] = grey_level(mixed(to_float(out[c]), drawn, mask));
    }
}

}  // namespace

Status draw_eye(const DrawEye& p, Stream stream) {
    const int64_t work = static_cast<int64_t>(p.rows) * p.columns;
    if (p.channels == 3) return launch_for(work, draw_eye_kernel<3>, stream, p);
    return launch_for(work, draw_eye_kernel<4>, stream, p);
}

}  // namespace mien::cuda
