#include "cuda/ops.h"
#include "cuda/taps.h"
#include "mien/to_tensor.h"

namespace mien::cuda {
namespace {

template <int C>
__device__ void add_tap(const ToTensor& p, float y, float x, float* sums) {
    const Taps taps = taps_at(affine(p.matrix, x, y), affine(p.matrix + 3, x, y), p.height, p.width, C, p.padding);
#pragma unroll
    for (int c = 0; c < C; ++c)
        sums[c] += tapped(p.image, taps, c);
}

// One pixel per thread: neighbours write neighbours, in every plane.
template <class T, int C>
__global__ void __launch_bounds__(kThreads) to_tensor_kernel(ToTensor p, int64_t pixels) {
    const int64_t pixel = work_index();
    if (pixel >= pixels) return;
    const int32_t y = static_cast<int32_t>(pixel / p.out_width);
    const int32_t x = static_cast<int32_t>(pixel - static_cast<int64_t>(y) * p.out_width);
    float sums[C] = {};
    for (int32_t j = 0; j < p.taps; ++j)
        for (int32_t i = 0; i < p.taps; ++i)
            add_tap<C>(p, static_cast<float>(y) + tap_offset(j, p.taps), static_cast<float>(x) + tap_offset(i, p.taps),
                       sums);
    const float share = 1.0f / static_cast<float>(p.taps * p.taps);
    T* out = reinterpret_cast<T*>(p.out);
    const bool planes = p.layout == Layout::nchw;
    out += planes ? pixel : pixel * C;
    const int64_t step = planes ? pixels : 1;
#pragma unroll
    for (int c = 0; c < C; ++c)
        out[c * step] = from_float<T>(sums[c] * share * p.scale + p.bias);
}

template <class T>
Status tensor_of(const ToTensor& p, Stream stream) {
    const int64_t pixels = static_cast<int64_t>(p.out_height) * p.out_width;
    if (p.channels == 1) return launch_for(pixels, to_tensor_kernel<T, 1>, stream, p, pixels);
    if (p.channels == 2) return launch_for(pixels, to_tensor_kernel<T, 2>, stream, p, pixels);
    if (p.channels == 3) return launch_for(pixels, to_tensor_kernel<T, 3>, stream, p, pixels);
    return launch_for(pixels, to_tensor_kernel<T, 4>, stream, p, pixels);
}

}  // namespace

Status to_tensor(const ToTensor& p, Type type, Stream stream) {
    return for_float_type(type, [&](auto kind) { return tensor_of<decltype(kind)>(p, stream); });
}

}  // namespace mien::cuda
