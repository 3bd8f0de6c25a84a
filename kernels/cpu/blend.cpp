// The smallest op: the template for new ones. A loop over the header's arithmetic, and nothing of its own.
#include "mien/blend.h"

#include "cpu/bands.h"
#include "cpu/chunk.h"
#include "cpu/ops.h"

// Everything but the op itself has internal linkage, inside of the instruction set's namespace.
namespace mien::MIEN_ISA {
namespace {

// One weight per element, and `over` without its mask, for `count` pixels.
template <class T, class M, int C>
void spread(const Blend& p, int64_t start, int32_t count, float* weight, T* colour) {
    if (p.mask != nullptr) {
        const M* mask = static_cast<const M*>(p.mask) + start;
        for (int32_t i = 0; i < count; ++i)
            for (int32_t c = 0; c < C; ++c)
                weight[i * C + c] = mask_weight(mask[i]);
        __builtin_memcpy(colour, static_cast<const T*>(p.over) + start * C, static_cast<size_t>(count * C) * sizeof(T));
        return;
    }
    const T* over = static_cast<const T*>(p.over) + start * (C + 1);
    for (int32_t i = 0; i < count; ++i) {
        for (int32_t c = 0; c < C; ++c) {
            weight[i * C + c] = mask_weight(over[i * (C + 1) + C]);
            colour[i * C + c] = over[i * (C + 1) + c];
        }
    }
}

// Through short arrays on the stack: the main loop has no channels and cannot overlap anything, so the compiler
// vectorises it even where `out` is `under`.
template <class T, class M, int C>
void blend_chunk(const Blend& p, int64_t start, int32_t count) {
    float weight[kChunk * C];
    T colour[kChunk * C];
    T row[kChunk * C];
    spread<T, M, C>(p, start, count, weight, colour);
    const T* under = static_cast<const T*>(p.under) + start * C;
    for (int32_t i = 0; i < count * C; ++i)
        blend_element(under[i], colour[i], weight[i], row[i]);
    __builtin_memcpy(static_cast<T*>(p.out) + start * C, row, static_cast<size_t>(count * C) * sizeof(T));
}

// Any number of channels.
template <class T, class M>
void blend_plainly(const Blend& p, int64_t start, int32_t count) {
    const int32_t over_channels = p.mask != nullptr ? p.channels : p.channels + 1;
    for (int64_t pixel = start; pixel < start + count; ++pixel) {
        const T* under = static_cast<const T*>(p.under) + pixel * p.channels;
        const T* over = static_cast<const T*>(p.over) + pixel * over_channels;
        T* out = static_cast<T*>(p.out) + pixel * p.channels;
        const float weight =
            p.mask != nullptr ? mask_weight(static_cast<const M*>(p.mask)[pixel]) : mask_weight(over[p.channels]);
        for (int32_t c = 0; c < p.channels; ++c)
            blend_element(under[c], over[c], weight, out[c]);
    }
}

typedef void (*Chunk)(const Blend&, int64_t, int32_t);

template <class T, class M>
Chunk chunk_for(int32_t channels) {
    if (channels == 1) return blend_chunk<T, M, 1>;
    if (channels == 3) return blend_chunk<T, M, 3>;
    if (channels == 4) return blend_chunk<T, M, 4>;
    return blend_plainly<T, M>;
}

Chunk chunk_for(const Blend& p) {
    const bool byte_mask = p.mask_type == Type::u8;
    if (p.type == Type::u8)
        return byte_mask ? chunk_for<uint8_t, uint8_t>(p.channels) : chunk_for<uint8_t, float>(p.channels);
    return byte_mask ? chunk_for<float, uint8_t>(p.channels) : chunk_for<float, float>(p.channels);
}

}  // namespace

void blend(const Blend& p, int threads) {
    const Chunk chunk = chunk_for(p);
    const int32_t chunks = static_cast<int32_t>((p.pixels + kChunk - 1) / kChunk);
    for_bands(chunks, static_cast<int64_t>(kChunk) * p.channels, threads, [&](int32_t first, int32_t last) {
        for (int64_t start = static_cast<int64_t>(first) * kChunk; first < last; ++first, start += kChunk) {
            chunk(p, start, static_cast<int32_t>(lesser<int64_t>(kChunk, p.pixels - start)));
        }
    });
}

}  // namespace mien::MIEN_ISA
