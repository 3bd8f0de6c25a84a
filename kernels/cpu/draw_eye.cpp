#include "mien/draw_eye.h"

#include "cpu/bands.h"
#include "cpu/ops.h"
#include "cpu/taps.h"

namespace mien::MIEN_ISA {
namespace {

constexpr int64_t kPixelWork = 16;  // as many elements as a pixel's arithmetic takes the time of

template <int C>
void draw_chunk(const DrawEye& p, int32_t y, int32_t x, int32_t count, const float* mask) {
    float at[2][kChunk];
    for (int32_t i = 0; i < count; ++i) {
        const EyePoint source = eye_source(p, static_cast<float>(x + i), static_cast<float>(y));
        at[0][i] = source.x;
        at[1][i] = source.y;
    }
    Neighbours<C> found;
    look<C>(p.picture, {p.picture_height, p.picture_width, C}, Padding::border, count, at, found);
    uint8_t* row = p.out + (static_cast<int64_t>(y) * p.width + x) * 3;
    uint32_t pixels[kChunk];
    load_row<3>(row, count, pixels);
    for (int32_t i = 0; i < count; ++i) {
        uint32_t pixel = 0;
        for (int c = 0; c < 3; ++c) {
            const float drawn = static_cast<float>(grey_level(tapped(found, i, c)));
            pixel |= channel_at(grey_level(mixed(channel_of(pixels[i], c), drawn, mask[i])), c);
        }
        pixels[i] = pixel;
    }
    store_row<3>(pixels, count, row);
}

template <int C>
void draw_rows(const DrawEye& p, int32_t first, int32_t last) {
    for (int32_t y = first; y < last; ++y) {
        const float* mask = p.mask + static_cast<int64_t>(y) * p.columns;
        int32_t begin = 0;
        int32_t end = p.columns;
        while (begin < end && mask[begin] == 0.0f)
            ++begin;
        while (end > begin && mask[end - 1] == 0.0f)
            --end;
        for (int32_t x = begin; x < end; x += kChunk)
            draw_chunk<C>(p, p.top + y, p.left + x, lesser(kChunk, end - x), mask + x);
    }
}

}  // namespace

void draw_eye(const DrawEye& p, int threads) {
    for_bands(p.rows, p.columns * kPixelWork, threads, [&p](int32_t first, int32_t last) {
        if (p.channels == 3) return draw_rows<3>(p, first, last);
        draw_rows<4>(p, first, last);
    });
}

}  // namespace mien::MIEN_ISA
