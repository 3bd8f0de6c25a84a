#include "mien/limit.h"

#include "cpu/bands.h"
#include "cpu/chunk.h"
#include "cpu/ops.h"

namespace mien::MIEN_ISA {

void limit(const Limit& p, int threads) {
    const int32_t chunks = static_cast<int32_t>((p.count + kChunk - 1) / kChunk);
    for_bands(chunks, kChunk, threads, [&p](int32_t first, int32_t last) {
        const int64_t end = lesser<int64_t>(static_cast<int64_t>(last) * kChunk, p.count);
        for (int64_t i = static_cast<int64_t>(first) * kChunk; i < end; ++i)
            p.values[i] = limited(p.values[i], p.most[i]);
    });
}

}  // namespace mien::MIEN_ISA
