// spade_modulate as TensorRT launches it from PTX: inputs, numbers, output; one launch, no room, and floats only as the
// integers of their bits. A block per plane of (batch, channels, pixels): the second look at x mostly finds it in L2.
#include "cuda/moments.h"

namespace mien::cuda {
namespace {

constexpr int kPluginThreads = 512;

template <class T, int kCount>
__device__ void modulate_packs(const SpadeModulate& p) {
    __shared__ Normal normal_of_plane;
    typedef Pack<T, kCount> P;
    const int64_t start = p.pixels * blockIdx.x;
    const T* x = static_cast<const T*>(p.x) + start;
    const T* gamma = static_cast<const T*>(p.gamma) + start;
    const T* beta = static_cast<const T*>(p.beta) + start;
    T* out = static_cast<T*>(p.out) + start;
    Sums sums = {};
    for (int64_t at = threadIdx.x * kCount; at < p.pixels; at += kPluginThreads * kCount)
        sums.add_pack(load_pack<kCount>(x + at));
    const Moments moments = joined_over_block(sums.moments());
    if (threadIdx.x == 0) normal_of_plane = normal_of(moments, p.epsilon);
    __syncthreads();
    const Normal normal = normal_of_plane;
    for (int64_t at = threadIdx.x * kCount; at < p.pixels; at += kPluginThreads * kCount) {
        const P modulated = modulated_pack(load_pack<kCount>(x + at), load_pack<kCount>(gamma + at),
                                           load_pack<kCount>(beta + at), normal, p.slope);
        store_pack<kCount>(out + at, modulated);
    }
}

// TensorRT's tensors begin at multiples of 16 bytes.
template <class T>
__device__ void modulate(const T* x, const T* gamma, const T* beta, int pixels, int slope, int epsilon, T* out) {
    const SpadeModulate p = {.x = x,
                             .gamma = gamma,
                             .beta = beta,
                             .out = out,
                             .parts = nullptr,
                             .pixels = pixels,
                             .batch = 1,
                             .channels = static_cast<int32_t>(gridDim.x),
                             .part_count = 0,
                             .epsilon = __int_as_float(epsilon),
                             .slope = __int_as_float(slope),
                             .type = Type::f32,
                             .layout = Layout::nchw};
    if (pixels % kWhole<T> == 0) return modulate_packs<T, kWhole<T>>(p);
    modulate_packs<T, 1>(p);
}

}  // namespace
}  // namespace mien::cuda

#define MIEN_PLUGIN(name, T)                                                                          \
    extern "C" __global__ void __launch_bounds__(mien::cuda::kPluginThreads)                          \
        name(const T* x, const T* gamma, const T* beta, int pixels, int slope, int epsilon, T* out) { \
        mien::cuda::modulate(x, gamma, beta, pixels, slope, epsilon, out);                            \
    }

MIEN_PLUGIN(mien_spade_modulate_fp32, float)
MIEN_PLUGIN(mien_spade_modulate_fp16, __half)
MIEN_PLUGIN(mien_spade_modulate_bf16, __nv_bfloat16)
