// What a launcher needs of CUDA. In a build for tests the host stands in for the device: the same kernels, run by
// cuda/on_host.
#pragma once

#include "cuda/stream.h"
#include "mien/portable.h"

#if defined(MIEN_ON_HOST)
#include "cuda/on_host/device.h"
#else
#include <cuda_runtime.h>
#define MIEN_DYNAMIC_SHARED(name) extern __shared__ __align__(16) unsigned char name[]
#endif

namespace mien::cuda {

constexpr int kThreads = 256;

#if defined(MIEN_ON_HOST)
using on_host::launch;
#else
// Enqueues a kernel; what CUDA says to it comes back, nothing waits.
template <class... Params, class... Args>
Status launch(void (*kernel)(Params...), dim3 blocks, int threads, size_t shared, Stream stream, Args... args) {
    cudaLaunchConfig_t config = {};
    config.gridDim = blocks;
    config.blockDim = dim3(static_cast<unsigned>(threads));
    config.dynamicSmemBytes = shared;
    config.stream = stream;
    return cudaLaunchKernelEx(&config, kernel, args...);
}
#endif

// One thread for each of `count` pieces of work (in each of `batch` items: blockIdx.y); nothing is enqueued for none.
template <class... Params, class... Args>
Status launch_for_batch(int64_t count, int32_t batch, void (*kernel)(Params...), Stream stream, Args... args) {
    if (count <= 0 || batch <= 0) return cudaSuccess;
    const dim3 blocks(static_cast<unsigned>((count + kThreads - 1) / kThreads), static_cast<unsigned>(batch));
    return launch(kernel, blocks, kThreads, 0, stream, args...);
}

template <class... Params, class... Args>
Status launch_for(int64_t count, void (*kernel)(Params...), Stream stream, Args... args) {
    return launch_for_batch(count, 1, kernel, stream, args...);
}

// This thread's piece of work.
__device__ inline int64_t work_index() {
    return static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
}

}  // namespace mien::cuda
