#include "cuda/element.h"
#include "cuda/ops.h"
#include "mien/add_levels.h"

namespace mien::cuda {
namespace {

// kCount elements of each thread, in one piece.
template <int kCount>
__global__ void __launch_bounds__(kThreads) add_levels_kernel(AddLevels p) {
    const int64_t start = work_index() * kCount;
    if (start >= p.pixels * p.channels) return;
    const Pack<uint8_t, kCount> base = load_pack<kCount>(p.base + start);
    Pack<uint8_t, kCount> out;
    int64_t pixel = start / p.channels;
    int32_t channel = static_cast<int32_t>(start - pixel * p.channels);
    uint8_t level = p.levels[pixel];
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
        out.values[i] = channel < kColours ? with_level(base.values[i], level) : base.values[i];
        if (++channel < p.channels || i + 1 == kCount) continue;
        channel = 0;
        level = p.levels[++pixel];
    }
    store_pack<kCount>(p.out + start, out);
}

}  // namespace

Status add_levels(const AddLevels& p, Stream stream) {
    constexpr int whole = kWhole<uint8_t>;
    const int64_t count = p.pixels * p.channels;
    if (aligned(p.base, whole) && aligned(p.out, whole) && count % whole == 0)
        return launch_for(count / whole, add_levels_kernel<whole>, stream, p);
    return launch_for(count, add_levels_kernel<1>, stream, p);
}

}  // namespace mien::cuda
