#include "cuda/launch.h"
#include "cuda/ops.h"
#include "mien/weigh_flow.h"

namespace mien::cuda {
namespace {

__global__ void __launch_bounds__(kThreads) weigh_flow_kernel(WeighFlow p) {
    const int64_t index = work_index();
    if (index >= static_cast<int64_t>(p.height) * p.width) return;
    const int32_t y = static_cast<int32_t>(index / p.width);
    const int32_t x = static_cast<int32_t>(index - static_cast<int64_t>(y) * p.width);
    p.weight[index] = weighed(p, y, x, p.depth[index], p.flow + 2 * index);
}

}  // namespace

Status weigh_flow(const WeighFlow& p, Stream stream) {
    return launch_for(static_cast<int64_t>(p.height) * p.width, weigh_flow_kernel, stream, p);
}

}  // namespace mien::cuda
