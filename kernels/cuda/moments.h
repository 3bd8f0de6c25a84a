// Statistics gathered by many threads: each sums around a pivot of its own, and what they have is joined in pairs.
#pragma once

#include "cuda/element.h"
#include "mien/spade_modulate.h"

namespace mien::cuda {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = ~0u;

// The first value that a thread sees is its pivot. Values that have drifted far from it cost digits of the squares, but
// no more than what they add to the variance themselves holds.
struct Sums {
    float pivot;
    float count;
    float sum;
    float squares;

    __device__ void add(float value) {
        const float apart = value - pivot;
        sum += apart;
        squares += apart * apart;
    }

    template <class T, int kCount>
    __device__ void add_pack(const Pack<T, kCount>& pack) {
        if (count == 0.0f) pivot = to_float(pack.values[0]);
#pragma unroll
        for (int i = 0; i < kCount; ++i)
            add(to_float(pack.values[i]));
        count += kCount;
    }

    __device__ Moments moments() const {
        if (count == 0.0f) return {0.0f, 0.0f, 0.0f, 0.0f};
        return moments_around(pivot, count, sum, squares);
    }
};

// Either may be empty.
__device__ inline Moments joined_any(const Moments& a, const Moments& b) {
    return b.count == 0.0f ? a : joined(a, b);
}

// Of this lane and the one `distance` away.
__device__ inline Moments joined_across(const Moments& m, int distance) {
    const Moments other = {__shfl_xor_sync(kAllLanes, m.count, distance), __shfl_xor_sync(kAllLanes, m.mean, distance),
                           __shfl_xor_sync(kAllLanes, m.mean_low, distance),
                           __shfl_xor_sync(kAllLanes, m.squares, distance)};
    return joined_any(m, other);
}

__device__ inline Moments joined_over_warp(Moments m) {
    for (int distance = 1; distance < kWarp; distance *= 2)
        m = joined_across(m, distance);
    return m;
}

// Of all threads of a block of whole warps; thread 0 has the result.
__device__ inline Moments joined_over_block(Moments m) {
    __shared__ Moments of_warp[kWarp];
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    m = joined_over_warp(m);
    if (lane == 0) of_warp[warp] = m;
    __syncthreads();
    if (warp != 0) return m;
    const int warps = static_cast<int>(blockDim.x) / kWarp;
    const Moments nothing = {0.0f, 0.0f, 0.0f, 0.0f};
    return joined_over_warp(lane < warps ? of_warp[lane] : nothing);
}

template <class T, int kCount>
__device__ Pack<T, kCount> modulated_pack(const Pack<T, kCount>& x, const Pack<T, kCount>& gamma,
                                          const Pack<T, kCount>& beta, const Normal& normal, float slope) {
    Pack<T, kCount> out;
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
        out.values[i] = from_float<T>(
            modulated(to_float(x.values[i]), to_float(gamma.values[i]), to_float(beta.values[i]), normal, slope));
    }
    return out;
}

// What a device has room for.
struct Chip {
    int processors;
    int shared;  // bytes that one block may ask for
};

Status chip_of_current_device(Chip& chip);

// More shared memory than 48 KiB must be asked for by kernel.
template <class... Params>
Status allow_shared(void (*kernel)(Params...), size_t bytes) {
    if (bytes <= 48 * 1024) return cudaSuccess;
    return cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
}

// The two memory orders, each in a file of its own.
Status spade_planes(const SpadeModulate& params, Stream stream);
Status spade_columns(const SpadeModulate& params, Stream stream);
int32_t plane_parts(const SpadeModulate& params, const Chip& chip);
int32_t column_parts(const SpadeModulate& params, const Chip& chip);

}  // namespace mien::cuda
