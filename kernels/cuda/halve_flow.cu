#include "cuda/element.h"
#include "cuda/ops.h"
#include "mien/halve_flow.h"

namespace mien::cuda {
namespace {

// One cell of the new grid per thread; what comes from an array at an odd address is read by single floats.
template <int kCount>
__global__ void __launch_bounds__(kThreads) halve_flow_kernel(HalveFlow p) {
    const int64_t index = work_index();
    if (index >= static_cast<int64_t>(p.height) * p.width) return;
    const int64_t y = index / p.width;
    const int64_t x = index - y * p.width;
    const int64_t row = static_cast<int64_t>(p.width) * 4;
    const float* at = p.flow + 2 * y * row + 4 * x;
    float top[4];
    float bottom[4];
#pragma unroll
    for (int i = 0; i < 4; i += kCount) {
        const Pack<float, kCount> above = load_pack<kCount>(at + i);
        const Pack<float, kCount> below = load_pack<kCount>(at + row + i);
#pragma unroll
        for (int j = 0; j < kCount; ++j) {
            top[i + j] = above.values[j];
            bottom[i + j] = below.values[j];
        }
    }
    p.out[2 * index] = halved(top[0], top[2], bottom[0], bottom[2]);
    p.out[2 * index + 1] = halved(top[1], top[3], bottom[1], bottom[3]);
}

}  // namespace

Status halve_flow(const HalveFlow& p, Stream stream) {
    const int64_t work = static_cast<int64_t>(p.height) * p.width;
    if (aligned(p.flow, 16)) return launch_for(work, halve_flow_kernel<4>, stream, p);
    return launch_for(work, halve_flow_kernel<1>, stream, p);
}

}  // namespace mien::cuda
