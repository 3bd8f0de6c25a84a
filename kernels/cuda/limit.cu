#include "cuda/element.h"
#include "cuda/ops.h"
#include "mien/limit.h"

namespace mien::cuda {
namespace {

// kCount values of each thread, in one piece.
template <int kCount>
__global__ void __launch_bounds__(kThreads) limit_kernel(Limit p) {
    const int64_t start = work_index() * kCount;
    if (start >= p.count) return;
    Pack<float, kCount> values = load_pack<kCount>(p.values + start);
    const Pack<float, kCount> most = load_pack<kCount>(p.most + start);
#pragma unroll
    for (int i = 0; i < kCount; ++i)
        values.values[i] = limited(values.values[i], most.values[i]);
    store_pack<kCount>(p.values + start, values);
}

}  // namespace

Status limit(const Limit& p, Stream stream) {
    constexpr int whole = kWhole<float>;
    if (aligned(p.values, 16) && aligned(p.most, 16) && p.count % whole == 0)
        return launch_for(p.count / whole, limit_kernel<whole>, stream, p);
    return launch_for(p.count, limit_kernel<1>, stream, p);
}

}  // namespace mien::cuda
