#include "mien/weigh_flow.h"

#include "cpu/bands.h"
#include "cpu/ops.h"

namespace mien::MIEN_ISA {
namespace {

void weigh_row(const WeighFlow& p, int32_t y) {
    const int64_t start = static_cast<int64_t>(y) * p.width;
    float* flow = p.flow + start * 2;
    for (int32_t x = 0; x < p.width; ++x)
        p.weight[start + x] = weighed(p, y, x, p.depth[start + x], flow + 2 * x);
}

}  // namespace

void weigh_flow(const WeighFlow& p, int threads) {
    for_bands(p.height, static_cast<int64_t>(p.width) * 2, threads, [&p](int32_t first, int32_t last) {
        for (int32_t y = first; y < last; ++y)
            weigh_row(p, y);
    });
}

}  // namespace mien::MIEN_ISA
