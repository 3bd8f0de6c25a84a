// The channels of a pixel as one vector. A compiler extension of GCC and Clang, the same on every processor.
#pragma once

#include "mien/portable.h"

namespace mien::MIEN_ISA {

typedef float Lanes __attribute__((vector_size(16)));
typedef int32_t IntLanes __attribute__((vector_size(16)));
typedef uint8_t ByteLanes __attribute__((vector_size(4)));

constexpr int32_t kChunk = 256;  // pixels that a row is processed in, so that intermediate values stay on the stack

inline Lanes lanes_from(uint32_t word) {
    ByteLanes bytes;
    __builtin_memcpy(&bytes, &word, 4);
    return __builtin_convertvector(__builtin_convertvector(bytes, IntLanes), Lanes);
}

// Reads four bytes whatever C is: the caller knows that they are there.
inline Lanes load_lanes(const uint8_t* at) {
    uint32_t word;
    __builtin_memcpy(&word, at, 4);
    return lanes_from(word);
}

// Reads no more than C bytes.
template <int C>
inline Lanes load_exactly(const uint8_t* at) {
    uint32_t word = 0;
    __builtin_memcpy(&word, at, C);
    return lanes_from(word);
}

inline Lanes lanes_within(Lanes value, float low, float high) {
    const Lanes lows = {low, low, low, low};
    const Lanes highs = {high, high, high, high};
    const Lanes raised = value > lows ? value : lows;
    return raised < highs ? raised : highs;
}

// grey_level of every lane. Writes four bytes whatever the number of channels is.
inline void store_grey(uint8_t* at, Lanes value) {
    const IntLanes rounded = __builtin_convertvector(lanes_within(value, 0.0f, 255.0f) + 0.5f, IntLanes);
    const ByteLanes bytes = __builtin_convertvector(rounded, ByteLanes);
    __builtin_memcpy(at, &bytes, 4);
}

}  // namespace mien::MIEN_ISA
