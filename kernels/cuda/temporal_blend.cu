#include "cuda/field.h"
#include "cuda/ops.h"
#include "cuda/taps.h"
#include "mien/temporal_blend.h"

namespace mien::cuda {
namespace {

struct Fields {
    Field flow;
    Field weight;
};

template <int C>
__device__ void blend_pixel(const TemporalBlend& p, const Fields& fields, int32_t y, int32_t x, uint8_t* pixel) {
    const Read<2> at = read_field<2>(fields.flow, y, x);
    const float factor = p.weight == nullptr ? 1.0f : read_field<1>(fields.weight, y, x).values[0];
    const float there = p.strength * factor;
    const float strength = on_picture(at.values[0], at.values[1], p.width, p.height) ? there : 0.0f;
    const Taps taps = taps_at(at.values[0], at.values[1], p.height, p.width, C, Padding::border);
    float difference[C];
    float most = 0.0f;
#pragma unroll
    for (int c = 0; c < C; ++c) {
        difference[c] = tapped(p.previous, taps, c) - to_float(pixel[c]);
        most = greater(most, difference[c] < 0.0f ? -difference[c] : difference[c]);
    }
    const float weight = temporal_weight(most, strength, p.inverse_threshold);
#pragma unroll
    for (int c = 0; c < C; ++c)
        pixel[c] = grey_level(to_float(pixel[c]) + difference[c] * weight);
}

template <int C>
__global__ void __launch_bounds__(kThreads) temporal_blend_kernel(TemporalBlend p, Fields fields) {
    const int64_t first = work_index() * kPixels;
    const int64_t left = static_cast<int64_t>(p.height) * p.width - first;
    if (left <= 0) return;
    const int count = static_cast<int>(lesser<int64_t>(left, kPixels));
    Quad<C> quad;
    load_quad<C>(p.current + first * C, count, quad);
    int32_t y = static_cast<int32_t>(first / p.width);
    int32_t x = static_cast<int32_t>(first - static_cast<int64_t>(y) * p.width);
#pragma unroll
    for (int i = 0; i < kPixels; ++i) {
        if (i >= count) break;
        blend_pixel<C>(p, fields, y, x, quad.values + i * C);
        if (++x == p.width) {
            x = 0;
            ++y;
        }
    }
    store_quad<C>(p.out + first * C, count, quad);
}

}  // namespace

Status temporal_blend(const TemporalBlend& p, Stream stream) {
    const int64_t work = (static_cast<int64_t>(p.height) * p.width + kPixels - 1) / kPixels;
    const Fields fields = {field_of(p.flow, p.flow_height, p.flow_width, p.height, p.width),
                           field_of(p.weight, p.weight_height, p.weight_width, p.height, p.width)};
    if (p.channels == 3) return launch_for(work, temporal_blend_kernel<3>, stream, p, fields);
    return launch_for(work, temporal_blend_kernel<4>, stream, p, fields);
}

}  // namespace mien::cuda
