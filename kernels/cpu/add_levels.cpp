#include "mien/add_levels.h"

#include "cpu/bands.h"
#include "cpu/chunk.h"
#include "cpu/ops.h"

namespace mien::MIEN_ISA {
namespace {

// One level for each element, an alpha's being none, then a loop without channels, which the compiler vectorises.
template <int C>
void add_chunk(const AddLevels& p, int64_t start, int32_t count) {
    uint8_t level[kChunk * C];
    uint8_t row[kChunk * C];
    const uint8_t* levels = p.levels + start;
    for (int32_t i = 0; i < count; ++i)
        for (int32_t c = 0; c < C; ++c)
            level[i * C + c] = c < kColours ? levels[i] : static_cast<uint8_t>(kNoLevel);
    const uint8_t* base = p.base + start * C;
    for (int32_t i = 0; i < count * C; ++i)
        row[i] = with_level(base[i], level[i]);
    __builtin_memcpy(p.out + start * C, row, static_cast<size_t>(count * C));
}

}  // namespace

void add_levels(const AddLevels& p, int threads) {
    const int32_t chunks = static_cast<int32_t>((p.pixels + kChunk - 1) / kChunk);
    for_bands(chunks, static_cast<int64_t>(kChunk) * p.channels, threads, [&](int32_t first, int32_t last) {
        for (int64_t start = static_cast<int64_t>(first) * kChunk; first < last; ++first, start += kChunk) {
            const int32_t count = static_cast<int32_t>(lesser<int64_t>(kChunk, p.pixels - start));
            if (p.channels == kColours)
                add_chunk<kColours>(p, start, count);
            else
                add_chunk<kColours + 1>(p, start, count);
        }
    });
}

}  // namespace mien::MIEN_ISA
