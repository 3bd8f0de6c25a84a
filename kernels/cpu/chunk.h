// Pixels of a row in chunks, one array per quantity: plain loops over these are what the compiler vectorises.
#pragma once

#include "mien/portable.h"

namespace mien::MIEN_ISA {

constexpr int32_t kChunk = 256;  // pixels; intermediate values stay on the stack and in the nearest cache

// A pixel of up to four uint8 channels as one number, the first channel lowest.
inline float channel_of(uint32_t pixel, int channel) {
    return static_cast<float>(static_cast<int32_t>((pixel >> (8 * channel)) & 255u));
}

inline uint32_t channel_at(uint8_t level, int channel) {
    return static_cast<uint32_t>(level) << (8 * channel);
}

// Reads no more than the pixel's C bytes.
template <int C>
inline uint32_t load_pixel(const uint8_t* at) {
    uint32_t pixel = 0;
    for (int c = 0; c < C; ++c)
        pixel |= channel_at(at[c], c);
    return pixel;
}

// Reads four bytes whatever the number of channels is: the caller knows that they are there.
inline uint32_t load_four(const uint8_t* at) {
    uint32_t pixel;
    __builtin_memcpy(&pixel, at, 4);
    return pixel;
}

template <int C>
void load_row(const uint8_t* row, int32_t count, uint32_t* pixels) {
    const int32_t safe = C == 4 ? count : count - 4;
    int32_t i = 0;
    for (; i < safe; ++i)
        pixels[i] = load_four(row + i * C);
    for (; i < count; ++i)
        pixels[i] = load_pixel<C>(row + i * C);
}

template <int C>
void store_row(const uint32_t* pixels, int32_t count, uint8_t* row) {
    const int32_t safe = C == 4 ? count : count - 4;
    int32_t i = 0;
    for (; i < safe; ++i)
        __builtin_memcpy(row + i * C, &pixels[i], 4);
    for (; i < count; ++i)
        __builtin_memcpy(row + i * C, &pixels[i], C);
}

}  // namespace mien::MIEN_ISA
