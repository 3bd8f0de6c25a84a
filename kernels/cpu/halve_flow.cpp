#include "mien/halve_flow.h"

#include "cpu/bands.h"
#include "cpu/ops.h"

namespace mien::MIEN_ISA {
namespace {

void halve_row(const float* top, const float* bottom, int32_t width, float* out) {
    for (int32_t x = 0; x < width; ++x) {
        out[2 * x] = halved(top[4 * x], top[4 * x + 2], bottom[4 * x], bottom[4 * x + 2]);
        out[2 * x + 1] = halved(top[4 * x + 1], top[4 * x + 3], bottom[4 * x + 1], bottom[4 * x + 3]);
    }
}

}  // namespace

void halve_flow(const HalveFlow& p, int threads) {
    for_bands(p.height, static_cast<int64_t>(p.width) * 2, threads, [&p](int32_t first, int32_t last) {
        const int64_t row = static_cast<int64_t>(p.width) * 4;
        for (int32_t y = first; y < last; ++y)
            halve_row(p.flow + 2 * y * row, p.flow + (2 * y + 1) * row, p.width, p.out + y * (row / 2));
    });
}

}  // namespace mien::MIEN_ISA
