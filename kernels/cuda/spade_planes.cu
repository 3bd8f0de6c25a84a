// spade_modulate of (batch, channels, pixels): a plane lies in one piece. Where it fits on the chip a block keeps it
// there between the look at its statistics and the modulation; else its parts are looked at, and then modulated, by
// as many blocks as fill the device.
#include "cuda/moments.h"

namespace mien::cuda {
namespace {

constexpr int kMostThreads = 1024;
constexpr int kAhead = 2;  // packs of gamma and beta under way while statistics are joined
constexpr int kPartThreads = 256;
constexpr int32_t kMostParts = 64;
constexpr int kReserved = 2048;  // bytes of shared memory for all that is not the plane

template <class T>
struct Plane {
    const T* x;
    const T* gamma;
    const T* beta;
    T* out;
};

template <class T>
__device__ Plane<T> plane_of(const SpadeModulate& p, int64_t index) {
    const int64_t start = index * p.pixels;
    return {static_cast<const T*>(p.x) + start, static_cast<const T*>(p.gamma) + start,
            static_cast<const T*>(p.beta) + start, static_cast<T*>(p.out) + start};
}

// The packs first, first + threads, ... below `last` of a plane belong to one thread.
struct Range {
    int64_t first;
    int64_t last;
};

__device__ void share_normal(const Moments& m, float epsilon, Normal& shared) {
    if (threadIdx.x == 0) shared = normal_of(m, epsilon);
    __syncthreads();
}

template <class T, int kCount>
__device__ void modulate_kept(const SpadeModulate& p, const Plane<T>& plane, const Pack<T, kCount>* kept, Range range) {
    __shared__ Normal normal_of_plane;
    typedef Pack<T, kCount> P;
    P gamma[kAhead];
    P beta[kAhead];
    const int64_t step = blockDim.x;
#pragma unroll
    for (int i = 0; i < kAhead; ++i) {
        const int64_t pack = range.first + i * step;
        if (pack >= range.last) break;
        gamma[i] = load_pack<kCount>(plane.gamma + pack * kCount);
        beta[i] = load_pack<kCount>(plane.beta + pack * kCount);
    }
    Sums sums = {};
    for (int64_t pack = range.first; pack < range.last; pack += step)
        sums.add_pack(kept[pack]);
    share_normal(joined_over_block(sums.moments()), p.epsilon, normal_of_plane);
    const Normal normal = normal_of_plane;
#pragma unroll
    for (int i = 0; i < kAhead; ++i) {
        const int64_t pack = range.first + i * step;
        if (pack >= range.last) break;
        store_pack<kCount>(plane.out + pack * kCount, modulated_pack(kept[pack], gamma[i], beta[i], normal, p.slope));
    }
#pragma unroll 4
    for (int64_t pack = range.first + kAhead * step; pack < range.last; pack += step) {
        const P g = load_pack<kCount>(plane.gamma + pack * kCount);
        const P b = load_pack<kCount>(plane.beta + pack * kCount);
        store_pack<kCount>(plane.out + pack * kCount, modulated_pack(kept[pack], g, b, normal, p.slope));
    }
}

// One block per plane, which stays in shared memory. A thread sees only packs that it brought itself.
template <class T, int kCount>
__global__ void __launch_bounds__(kMostThreads) spade_plane_kept(SpadeModulate p) {
    MIEN_DYNAMIC_SHARED(memory);
    Pack<T, kCount>* kept = reinterpret_cast<Pack<T, kCount>*>(memory);
    const Plane<T> plane = plane_of<T>(p, blockIdx.x);
    const Range range = {static_cast<int64_t>(threadIdx.x), p.pixels / kCount};
#pragma unroll 4
    for (int64_t pack = range.first; pack < range.last; pack += blockDim.x)
        kept[pack] = load_pack<kCount>(plane.x + pack * kCount);
    modulate_kept(p, plane, kept, range);
}

// The packs of part blockIdx.x of a plane.
__device__ Range range_of_part(const SpadeModulate& p, int64_t packs) {
    const int64_t length = (packs + p.part_count - 1) / p.part_count;
    const int64_t first = length * blockIdx.x;
    return {first + threadIdx.x, lesser(first + length, packs)};
}

__device__ int64_t plane_index() {
    return blockIdx.y + static_cast<int64_t>(gridDim.y) * blockIdx.z;
}

template <class T, int kCount>
__global__ void __launch_bounds__(kPartThreads) spade_plane_parts(SpadeModulate p) {
    const int64_t index = plane_index();
    const int64_t planes = static_cast<int64_t>(p.batch) * p.channels;
    if (index >= planes) return;
    const Plane<T> plane = plane_of<T>(p, index);
    const Range range = range_of_part(p, p.pixels / kCount);
    Sums sums = {};
#pragma unroll 4
    for (int64_t pack = range.first; pack < range.last; pack += kPartThreads)
        sums.add_pack(load_pack<kCount>(plane.x + pack * kCount));
    const Moments moments = joined_over_block(sums.moments());
    if (threadIdx.x == 0) p.parts[blockIdx.x * planes + index] = moments;
}

template <class T, int kCount>
__global__ void __launch_bounds__(kPartThreads) spade_plane_from_parts(SpadeModulate p) {
    __shared__ Normal normal_of_plane;
    const int64_t index = plane_index();
    const int64_t planes = static_cast<int64_t>(p.batch) * p.channels;
    if (index >= planes) return;
    if (threadIdx.x < kWarp) {
        Moments all = {0.0f, 0.0f, 0.0f, 0.0f};
        for (int32_t part = static_cast<int32_t>(threadIdx.x); part < p.part_count; part += kWarp)
            all = joined_any(all, p.parts[part * planes + index]);
        all = joined_over_warp(all);
        if (threadIdx.x == 0) normal_of_plane = normal_of(all, p.epsilon);
    }
    __syncthreads();
    const Normal normal = normal_of_plane;
    const Plane<T> plane = plane_of<T>(p, index);
    const Range range = range_of_part(p, p.pixels / kCount);
#pragma unroll 4
    for (int64_t pack = range.first; pack < range.last; pack += kPartThreads) {
        const Pack<T, kCount> x = load_pack<kCount>(plane.x + pack * kCount);
        const Pack<T, kCount> gamma = load_pack<kCount>(plane.gamma + pack * kCount);
        const Pack<T, kCount> beta = load_pack<kCount>(plane.beta + pack * kCount);
        store_pack<kCount>(plane.out + pack * kCount, modulated_pack(x, gamma, beta, normal, p.slope));
    }
}

int64_t plane_bytes(const SpadeModulate& p) {
    return p.pixels * (p.type == Type::f32 ? 4 : 2);
}

// Whole warps, a thread for each few packs.
int threads_for(int64_t packs) {
    const int64_t wanted = (packs + kWarp * kAhead - 1) / (kWarp * kAhead) * kWarp;
    return static_cast<int>(lesser<int64_t>(wanted, kMostThreads));
}

template <class T, int kCount>
Status run_kept(const SpadeModulate& p, Stream stream) {
    const size_t bytes = static_cast<size_t>(plane_bytes(p));
    const Status allowed = allow_shared(spade_plane_kept<T, kCount>, bytes);
    if (allowed != cudaSuccess) return allowed;
    const dim3 blocks(static_cast<unsigned>(p.batch * p.channels));
    return launch(spade_plane_kept<T, kCount>, blocks, threads_for(p.pixels / kCount), bytes, stream, p);
}

template <class T, int kCount>
Status run_parts(const SpadeModulate& p, Stream stream) {
    const int32_t planes = p.batch * p.channels;
    const int32_t down = lesser(planes, 65535);
    const dim3 blocks(static_cast<unsigned>(p.part_count), static_cast<unsigned>(down),
                      static_cast<unsigned>((planes + down - 1) / down));
    const Status looked = launch(spade_plane_parts<T, kCount>, blocks, kPartThreads, 0, stream, p);
    if (looked != cudaSuccess) return looked;
    return launch(spade_plane_from_parts<T, kCount>, blocks, kPartThreads, 0, stream, p);
}

template <class T, int kCount>
Status run(const SpadeModulate& p, Stream stream) {
    return p.part_count == 0 ? run_kept<T, kCount>(p, stream) : run_parts<T, kCount>(p, stream);
}

}  // namespace

// On the chip if a plane fits and there are planes enough to keep most of the device busy, or if it is small anyway.
int32_t plane_parts(const SpadeModulate& p, const Chip& chip) {
    const int64_t planes = static_cast<int64_t>(p.batch) * p.channels;
    const bool fits = plane_bytes(p) <= chip.shared - kReserved;
    if (fits && (2 * planes > chip.processors || plane_bytes(p) <= 16 * 1024)) return 0;
    const int64_t packs = plane_bytes(p) / 16;
    const int64_t wanted = (8 * static_cast<int64_t>(chip.processors) + planes - 1) / planes;
    const int64_t useful = (packs + 4 * kPartThreads - 1) / (4 * kPartThreads);
    return static_cast<int32_t>(greater<int64_t>(1, lesser<int64_t>(lesser(wanted, useful), kMostParts)));
}

Status spade_planes(const SpadeModulate& p, Stream stream) {
    return for_float_type(p.type, [&](auto kind) {
        typedef decltype(kind) T;
        const bool whole = p.pixels % kWhole<T> == 0 && aligned(p.x, 16) && aligned(p.gamma, 16) &&
                           aligned(p.beta, 16) && aligned(p.out, 16);
        return whole ? run<T, kWhole<T>>(p, stream) : run<T, 1>(p, stream);
    });
}

}  // namespace mien::cuda
