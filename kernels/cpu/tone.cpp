#include "mien/tone.h"

#include "cpu/bands.h"
#include "cpu/chunk.h"
#include "cpu/ops.h"

namespace mien::MIEN_ISA {
namespace {

constexpr int kChannels = 3;

void tone_chunk(const uint32_t* table, int32_t count, uint8_t* picture) {
    uint32_t pixels[kChunk];
    int32_t level[kChunk];
    load_row<kChannels>(picture, count, pixels);
    for (int32_t i = 0; i < count; ++i)
        level[i] = brightness(static_cast<int32_t>(pixels[i] & 255u), static_cast<int32_t>((pixels[i] >> 8) & 255u),
                              static_cast<int32_t>((pixels[i] >> 16) & 255u));
    for (int32_t i = 0; i < count; ++i)
        pixels[i] = table[level[i]];
    store_row<kChannels>(pixels, count, picture);
}

}  // namespace

void tone(const Tone& p, int threads) {
    uint32_t table[256];
    for (int32_t i = 0; i < 256; ++i)
        table[i] = load_pixel<kChannels>(p.colours + i * kChannels);
    const int32_t chunks = static_cast<int32_t>((p.pixels + kChunk - 1) / kChunk);
    for_bands(chunks, static_cast<int64_t>(kChunk) * kChannels, threads, [&](int32_t first, int32_t last) {
        for (int64_t start = static_cast<int64_t>(first) * kChunk; first < last; ++first, start += kChunk) {
            const int32_t count = static_cast<int32_t>(lesser<int64_t>(kChunk, p.pixels - start));
            tone_chunk(table, count, p.picture + start * kChannels);
        }
    });
}

}  // namespace mien::MIEN_ISA
