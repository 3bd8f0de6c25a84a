#include "cpu/bands.h"
#include "cpu/ops.h"
#include "cpu/taps.h"

namespace mien::MIEN_ISA {
namespace {

// Adds one tap of each pixel of a chunk to its sums.
template <int C>
void add_tap(const ToTensor& p, float y, int32_t x, float offset, int32_t count, float (*sums)[kChunk]) {
    float at[2][kChunk];
    for (int32_t i = 0; i < count; ++i) {
        const float tap_x = static_cast<float>(x + i) + offset;
        at[0][i] = affine(p.matrix, tap_x, y);
        at[1][i] = affine(p.matrix + 3, tap_x, y);
    }
    Neighbours<C> found;
    look<C>(p.image, {p.height, p.width, C}, p.padding, count, at, found);
    for (int32_t i = 0; i < count; ++i)
        for (int c = 0; c < C; ++c)
            sums[c][i] += tapped(found, i, c);
}

template <int C>
void write_chunk(const ToTensor& p, int32_t y, int32_t x, int32_t count, const float (*sums)[kChunk]) {
    const float share = 1.0f / static_cast<float>(p.taps * p.taps);
    const int64_t pixel = static_cast<int64_t>(y) * p.out_width + x;
    if (p.layout == Layout::nchw) {
        for (int c = 0; c < C; ++c) {
            float* __restrict out = p.out + pixel + static_cast<int64_t>(c) * p.out_height * p.out_width;
            for (int32_t i = 0; i < count; ++i)
                out[i] = sums[c][i] * share * p.scale + p.bias;
        }
        return;
    }
    float* __restrict out = p.out + pixel * C;
    for (int32_t i = 0; i < count; ++i)
        for (int c = 0; c < C; ++c)
            out[i * C + c] = sums[c][i] * share * p.scale + p.bias;
}

template <int C>
void tensor_chunk(const ToTensor& p, int32_t y, int32_t x, int32_t count) {
    float sums[C][kChunk] = {};
    for (int32_t j = 0; j < p.taps; ++j)
        for (int32_t i = 0; i < p.taps; ++i) {
            const float tap_y = static_cast<float>(y) + tap_offset(j, p.taps);
            add_tap<C>(p, tap_y, x, tap_offset(i, p.taps), count, sums);
        }
    write_chunk<C>(p, y, x, count, sums);
}

template <int C>
void tensor_rows(const ToTensor& p, int32_t first, int32_t last) {
    for (int32_t y = first; y < last; ++y)
        for (int32_t x = 0; x < p.out_width; x += kChunk)
            tensor_chunk<C>(p, y, x, lesser(kChunk, p.out_width - x));
}

}  // namespace

void to_tensor(const ToTensor& p, int threads) {
    const int64_t row_work = static_cast<int64_t>(p.out_width) * p.taps * p.taps;
    for_bands(p.out_height, row_work, threads, [&p](int32_t first, int32_t last) {
        if (p.channels == 1) return tensor_rows<1>(p, first, last);
        if (p.channels == 2) return tensor_rows<2>(p, first, last);
        if (p.channels == 3) return tensor_rows<3>(p, first, last);
        tensor_rows<4>(p, first, last);
    });
}

}  // namespace mien::MIEN_ISA
