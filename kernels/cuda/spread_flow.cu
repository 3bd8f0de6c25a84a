#include "cuda/element.h"
#include "cuda/ops.h"
#include "mien/spread_flow.h"

namespace mien::cuda {
namespace {

// One place per thread; its two coordinates are one piece where the addresses allow it.
template <int kCount>
__global__ void __launch_bounds__(kThreads) spread_flow_kernel(SpreadFlow p) {
    const int64_t index = work_index();
    if (index >= static_cast<int64_t>(p.height) * p.width) return;
    const int64_t y = index / p.width;
    const int64_t x = index - y * p.width;
    const float at[2] = {p.rows[2 * y] + p.columns[x], p.rows[2 * y + 1]};
#pragma unroll
    for (int i = 0; i < 2; i += kCount) {
        Pack<float, kCount> out;
#pragma unroll
        for (int j = 0; j < kCount; ++j)
            out.values[j] = at[i + j];
        store_pack<kCount>(p.out + 2 * index + i, out);
    }
}

}  // namespace

Status spread_flow(const SpreadFlow& p, Stream stream) {
    const int64_t work = static_cast<int64_t>(p.height) * p.width;
    if (aligned(p.out, 8)) return launch_for(work, spread_flow_kernel<2>, stream, p);
    return launch_for(work, spread_flow_kernel<1>, stream, p);
}

}  // namespace mien::cuda
