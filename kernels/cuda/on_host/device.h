// The device on the host, for tests: enough of CUDA to run the kernels as they are, one fiber per thread of a block. It
// finds wrong arithmetic, wrong indices and missing barriers (threads run in either order between barriers), not what
// only hardware shows.
#pragma once

#include <cuda_runtime_api.h>

#include <cmath>
#include <cstdint>
#include <functional>

#undef __global__
#undef __device__
#undef __shared__
#undef __launch_bounds__
#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(...)
#define MIEN_DYNAMIC_SHARED(name) unsigned char* name = mien::on_host::dynamic_shared()

namespace mien::on_host {

struct Index {
    unsigned x = 0;
    unsigned y = 0;
    unsigned z = 0;
};

// Of the fiber that runs.
extern Index thread_index;
extern Index block_index;
extern Index block_size;
extern Index grid_size;

// Aligned to 16 bytes, cleared to what no kernel may rely on.
unsigned char* dynamic_shared();

// Runs `thread` once for every thread of every block, one after the other.
cudaError_t run_grid(dim3 blocks, int threads, size_t shared, const std::function<void()>& thread);

void wait_for_block();

// What lane `lane` of this warp brought.
uint32_t exchange(uint32_t bits, unsigned lane);

inline unsigned lane() {
    return thread_index.x % 32;
}

template <class... Params, class... Args>
cudaError_t launch(void (*kernel)(Params...), dim3 blocks, int threads, size_t shared, cudaStream_t, Args... args) {
    return run_grid(blocks, threads, shared, [&] { kernel(args...); });
}

}  // namespace mien::on_host

#define threadIdx mien::on_host::thread_index
#define blockIdx mien::on_host::block_index
#define blockDim mien::on_host::block_size
#define gridDim mien::on_host::grid_size

template <class... Params>
cudaError_t cudaFuncSetAttribute(void (*)(Params...), cudaFuncAttribute, int) {
    return cudaSuccess;
}

inline void __syncthreads() {
    mien::on_host::wait_for_block();
}

inline float __shfl_xor_sync(unsigned, float value, int distance) {
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof(bits));
    bits = mien::on_host::exchange(bits, mien::on_host::lane() ^ static_cast<unsigned>(distance));
    __builtin_memcpy(&value, &bits, sizeof(bits));
    return value;
}

inline unsigned __ballot_sync(unsigned, bool vote) {
    unsigned votes = 0;
    for (unsigned lane = 0; lane < 32; ++lane)
        votes |= mien::on_host::exchange(vote ? 1u : 0u, lane) << lane;
    return votes;
}

inline int __popc(unsigned bits) {
    return __builtin_popcount(bits);
}
