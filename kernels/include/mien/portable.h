// What every op header needs: the marks that let one source serve all CPU builds and CUDA, and the scalar arithmetic.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if defined(__CUDACC__)
#define MIEN_HD __host__ __device__ inline
#else
#define MIEN_HD inline
#endif

// Inline functions live in the namespace of the instruction set that the file is compiled for; otherwise the linker
// would keep one copy of each, perhaps one that this processor cannot run.
#ifndef MIEN_ISA
#define MIEN_ISA baseline
#endif

namespace mien {

enum class Type : int32_t { u8, f32, f16, bf16 };  // the last two on CUDA only
enum class Padding : int32_t { border, zero };
enum class Layout : int32_t { nchw, nhwc };

namespace MIEN_ISA {

template <class T>
MIEN_HD T lesser(T a, T b) {
    return a < b ? a : b;
}

template <class T>
MIEN_HD T greater(T a, T b) {
    return a > b ? a : b;
}

// NaN becomes `low`, so that a conversion to int is always defined.
MIEN_HD float clamped(float value, float low, float high) {
    return value > low ? (value < high ? value : high) : low;
}

// Floor of a value within int32.
MIEN_HD int32_t floored(float value) {
    const int32_t truncated = static_cast<int32_t>(value);
    return truncated - (static_cast<float>(truncated) > value ? 1 : 0);
}

// Nearest grey level, halves rounded up, clipped to 0..255.
MIEN_HD uint8_t grey_level(float value) {
    return static_cast<uint8_t>(static_cast<int32_t>(clamped(value, 0.0f, 255.0f) + 0.5f));
}

template <class V, class W>
MIEN_HD V mixed(V a, V b, W weight) {
    return a + (b - a) * weight;
}

}  // namespace MIEN_ISA
}  // namespace mien
