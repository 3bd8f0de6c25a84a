#include "mien/erase.h"

#include "cpu/bands.h"
#include "cpu/chunk.h"
#include "cpu/ops.h"

namespace mien::MIEN_ISA {
namespace {

constexpr int32_t kCells = kChunk / 2;  // of 2 x 2 pixels, in a row of them

// Areas of the cells first - 1 .. first + count of a row of cells, the outermost repeated.
void areas(const Erase& p, int32_t row, int32_t first, int32_t count, float* out) {
    const int64_t floats = static_cast<int64_t>(p.width) * 2;
    const float* flow = p.flow + 2 * row * floats;
    for (int32_t i = 0; i < count; ++i)
        out[i + 1] = source_area(flow + static_cast<int64_t>(first + i) * 4, floats);
    out[0] = source_area(flow + static_cast<int64_t>(greater(first - 1, 0)) * 4, floats);
    out[count + 1] = source_area(flow + static_cast<int64_t>(lesser(first + count, p.width / 2 - 1)) * 4, floats);
}

// How much of each of `count` cells the flow alone erases: by the mean area over 3 x 3 of them, so that single thin
// triangles do not count.
void stretches(const Erase& p, int32_t row, int32_t first, int32_t count, float* out) {
    float above[kCells + 2];
    float here[kCells + 2];
    float below[kCells + 2];
    areas(p, greater(row - 1, 0), first, count, above);
    areas(p, row, first, count, here);
    areas(p, lesser(row + 1, p.height / 2 - 1), first, count, below);
    float sums[kCells + 2];
    for (int32_t i = 0; i < count + 2; ++i)
        sums[i] = above[i] + here[i] + below[i];
    for (int32_t i = 0; i < count; ++i)
        out[i] = stretched((sums[i] + sums[i + 1] + sums[i + 2]) / 9.0f, p.bearable, p.span);
}

void erase_pixels(const Erase& p, int64_t start, int32_t count, const float* stretch) {
    const float* mouth = p.mouth + start;
    float share[kChunk];
    for (int32_t i = 0; i < count; ++i)
        share[i] = erased_share(stretch[i / 2], mouth[i], p.gain);
    float each[kChunk * 3];
    for (int32_t i = 0; i < count; ++i)
        for (int32_t c = 0; c < 3; ++c)
            each[i * 3 + c] = share[i];
    uint8_t* picture = p.picture + start * 3;
    for (int32_t i = 0; i < count * 3; ++i)
        picture[i] = grey_level(mixed(static_cast<float>(picture[i]), p.nothing, each[i]));
}

}  // namespace

void erase(const Erase& p, int threads) {
    for_bands(p.height / 2, static_cast<int64_t>(p.width) * 6, threads, [&p](int32_t first, int32_t last) {
        float stretch[kCells];
        for (int32_t row = first; row < last; ++row) {
            for (int32_t x = 0; x < p.width / 2; x += kCells) {
                const int32_t count = lesser(kCells, p.width / 2 - x);
                stretches(p, row, x, count, stretch);
                const int64_t start = static_cast<int64_t>(2 * row) * p.width + 2 * x;
                erase_pixels(p, start, 2 * count, stretch);
                erase_pixels(p, start + p.width, 2 * count, stretch);
            }
        }
    });
}

}  // namespace mien::MIEN_ISA
