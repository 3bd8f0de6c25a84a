#include "mien/spread_flow.h"

#include "cpu/bands.h"
#include "cpu/ops.h"

namespace mien::MIEN_ISA {

void spread_flow(const SpreadFlow& p, int threads) {
    for_bands(p.height, static_cast<int64_t>(p.width) * 2, threads, [&p](int32_t first, int32_t last) {
        for (int32_t y = first; y < last; ++y) {
            const float across = p.rows[2 * y];
            const float down = p.rows[2 * y + 1];
            float* out = p.out + static_cast<int64_t>(y) * p.width * 2;
            for (int32_t x = 0; x < p.width; ++x) {
                out[2 * x] = across + p.columns[x];
                out[2 * x + 1] = down;
            }
        }
    });
}

}  // namespace mien::MIEN_ISA
