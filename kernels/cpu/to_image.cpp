#include "cpu/bands.h"
#include "cpu/ops.h"

namespace mien::MIEN_ISA {
namespace {

void convert_row(const ToImage& p, const float* row, uint8_t* __restrict out) {
    const int32_t elements = p.width * p.channels;
    for (int32_t i = 0; i < elements; ++i)
        out[i] = image_element(row[i], p.scale, p.bias);
}

template <int C>
void interleave_row(const ToImage& p, const float* row, int64_t plane, uint8_t* __restrict out) {
    const float scale = p.scale;
    const float bias = p.bias;
    for (int32_t x = 0; x < p.width; ++x)
        for (int c = 0; c < C; ++c)
            out[x * C + c] = image_element(row[c * plane + x], scale, bias);
}

void interleave_plainly(const ToImage& p, const float* row, int64_t plane, uint8_t* __restrict out) {
    for (int32_t c = 0; c < p.channels; ++c)
        for (int32_t x = 0; x < p.width; ++x) {
            out[x * p.channels + c] = image_element(row[c * plane + x], p.scale, p.bias);
        }
}

void image_row(const ToImage& p, int64_t y) {
    uint8_t* out = p.out + y * p.width * p.channels;
    if (p.layout == Layout::nhwc) return convert_row(p, p.tensor + y * p.width * p.channels, out);
    const float* row = p.tensor + y * p.width;
    const int64_t plane = static_cast<int64_t>(p.height) * p.width;
    if (p.channels == 3) return interleave_row<3>(p, row, plane, out);
    if (p.channels == 4) return interleave_row<4>(p, row, plane, out);
    interleave_plainly(p, row, plane, out);
}

}  // namespace

void to_image(const ToImage& p, int threads) {
    const int64_t row_work = static_cast<int64_t>(p.width) * p.channels;
    for_bands(p.height, row_work, threads, [&p](int32_t first, int32_t last) {
        for (int32_t y = first; y < last; ++y)
            image_row(p, y);
    });
}

}  // namespace mien::MIEN_ISA
