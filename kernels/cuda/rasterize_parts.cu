#include "cuda/launch.h"
#include "cuda/ops.h"
#include "mien/rasterize_parts.h"

namespace mien::cuda {
namespace {

// Points have integer coordinates in pixel centres; here pixel i covers i..i+1.
__device__ float edge_based(float centred) {
    return centred + 0.5f;
}

// What the outline of points from..to - 1 covers of a pixel; nothing if one of them is not finite.
__device__ float cover_by_outline(const float* points, int32_t from, int32_t to, float column, float row) {
    float sum = 0.0f;
    float odd = 0.0f;
    float ax = edge_based(points[2 * (to - 1)]);
    float ay = edge_based(points[2 * (to - 1) + 1]);
    for (int32_t i = from; i < to; ++i) {
        const float bx = edge_based(points[2 * i]);
        const float by = edge_based(points[2 * i + 1]);
        odd += (bx - bx) + (by - by);
        const Piece piece = piece_in_row(ax, ay, bx, by, row);
        if (piece.height != 0.0f) sum += cover_of_pixel(piece, column);
        ax = bx;
        ay = by;
    }
    return odd == 0.0f ? covered(sum) : 0.0f;
}

__global__ void __launch_bounds__(kThreads) rasterize_parts_kernel(RasterizeParts p, int32_t point_count) {
    const int64_t index = work_index();
    const int64_t rows = index / p.width;
    if (rows >= static_cast<int64_t>(p.channel_count) * p.height) return;
    const float column = static_cast<float>(static_cast<int32_t>(index - rows * p.width));
    const int32_t channel = static_cast<int32_t>(rows / p.height);
    const float row = static_cast<float>(static_cast<int32_t>(rows - static_cast<int64_t>(channel) * p.height));
    float value = 0.0f;
    for (int32_t i = 0; i < p.outline_count; ++i) {
        if (p.channels[i] != channel) continue;
        const int32_t from = p.starts[i];
        const int32_t to = p.starts[i + 1];
        if (from < 0 || to > point_count || to - from < 3) continue;
        value = greater(value, cover_by_outline(p.points, from, to, column, row));
    }
    p.out[index] = value;
}

}  // namespace

Status rasterize_parts(const RasterizeParts& p, int32_t point_count, Stream stream) {
    const int64_t work = static_cast<int64_t>(p.channel_count) * p.height * p.width;
    return launch_for(work, rasterize_parts_kernel, stream, p, point_count);
}

}  // namespace mien::cuda
