#include "cuda/element.h"
#include "cuda/ops.h"
#include "mien/tone.h"

namespace mien::cuda {
namespace {

constexpr int kChannels = 3;

__global__ void __launch_bounds__(kThreads) tone_kernel(Tone p) {
    const int64_t first = work_index() * kPixels;
    if (first >= p.pixels) return;
    const int count = static_cast<int>(lesser<int64_t>(p.pixels - first, kPixels));
    Quad<kChannels> quad;
    load_quad<kChannels>(p.picture + first * kChannels, count, quad);
#pragma unroll
    for (int i = 0; i < kPixels; ++i) {
        uint8_t* pixel = quad.values + i * kChannels;
        const uint8_t* colour = p.colours + brightness(pixel[0], pixel[1], pixel[2]) * kChannels;
#pragma unroll
        for (int c = 0; c < kChannels; ++c)
            pixel[c] = colour[c];
    }
    store_quad<kChannels>(p.picture + first * kChannels, count, quad);
}

}  // namespace

Status tone(const Tone& p, Stream stream) {
    return launch_for((p.pixels + kPixels - 1) / kPixels, tone_kernel, stream, p);
}

}  // namespace mien::cuda
