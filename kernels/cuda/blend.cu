// The smallest op: the template for new ones. A kernel over the header's arithmetic, and its launch.
#include "cuda/element.h"
#include "cuda/ops.h"
#include "mien/blend.h"

namespace mien::cuda {
namespace {

template <class T>
__device__ T blended(T under, T over, float weight) {
    float out;
    blend_element(to_float(under), to_float(over), weight, out);
    return from_float<T>(out);
}

__device__ float weight_of(const Blend& p, int64_t pixel) {
    if (p.mask_type == Type::u8) return mask_weight(static_cast<const uint8_t*>(p.mask)[pixel]);
    if (p.mask_type == Type::f32) return mask_weight(static_cast<const float*>(p.mask)[pixel]);
    if (p.mask_type == Type::f16) return to_float(static_cast<const __half*>(p.mask)[pixel]);
    return to_float(static_cast<const __nv_bfloat16*>(p.mask)[pixel]);
}

// kCount elements of each thread, in one piece.
template <class T, int kCount>
__global__ void __launch_bounds__(kThreads) blend_masked(Blend p) {
    const int64_t start = work_index() * kCount;
    if (start >= p.pixels * p.channels) return;
    const Pack<T, kCount> under = load_pack<kCount>(static_cast<const T*>(p.under) + start);
    const Pack<T, kCount> over = load_pack<kCount>(static_cast<const T*>(p.over) + start);
    Pack<T, kCount> out;
    int64_t pixel = start / p.channels;
    int32_t channel = static_cast<int32_t>(start - pixel * p.channels);
    float weight = weight_of(p, pixel);
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
        out.values[i] = blended(under.values[i], over.values[i], weight);
        if (++channel < p.channels || i + 1 == kCount) continue;
        channel = 0;
        weight = weight_of(p, ++pixel);
    }
    store_pack<kCount>(static_cast<T*>(p.out) + start, out);
}

// `over` brings its mask as a last channel. A thread's pixels lie in one piece in `over` and in `out`.
template <class T>
__global__ void __launch_bounds__(kThreads) blend_with_alpha(Blend p) {
    const int64_t pixel = work_index();
    if (pixel >= p.pixels) return;
    const T* under = static_cast<const T*>(p.under) + pixel * p.channels;
    const T* over = static_cast<const T*>(p.over) + pixel * (p.channels + 1);
    T* out = static_cast<T*>(p.out) + pixel * p.channels;
    const float alpha = to_float(over[p.channels]);
    const float weight = p.type == Type::u8 ? mask_weight(static_cast<uint8_t>(alpha)) : alpha;
    for (int32_t c = 0; c < p.channels; ++c)
        out[c] = blended(under[c], over[c], weight);
}

template <class T>
Status blend_as(const Blend& p, Stream stream) {
    if (p.mask == nullptr) return launch_for(p.pixels, blend_with_alpha<T>, stream, p);
    const int64_t count = p.pixels * p.channels;
    const bool whole = aligned(p.under, 16) && aligned(p.over, 16) && aligned(p.out, 16) && count % kWhole<T> == 0;
    if (whole) return launch_for(count / kWhole<T>, blend_masked<T, kWhole<T>>, stream, p);
    return launch_for(count, blend_masked<T, 1>, stream, p);
}

}  // namespace

Status blend(const Blend& p, Stream stream) {
    if (p.type == Type::u8) return blend_as<uint8_t>(p, stream);
    return for_float_type(p.type, [&](auto kind) { return blend_as<decltype(kind)>(p, stream); });
}

}  // namespace mien::cuda
