// Elements in memory as 16 bytes at once, and as float in registers.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "cuda/launch.h"

namespace mien::cuda {

MIEN_HD float to_float(uint8_t value) {
    return static_cast<float>(value);
}
MIEN_HD float to_float(float value) {
    return value;
}
MIEN_HD float to_float(__half value) {
    return __half2float(value);
}
MIEN_HD float to_float(__nv_bfloat16 value) {
    return __bfloat162float(value);
}

// Nearest value of the type T.
template <class T>
MIEN_HD T from_float(float value);
template <>
MIEN_HD uint8_t from_float(float value) {
    return grey_level(value);
}
template <>
MIEN_HD float from_float(float value) {
    return value;
}
template <>
MIEN_HD __half from_float(float value) {
    return __float2half_rn(value);
}
template <>
MIEN_HD __nv_bfloat16 from_float(float value) {
    return __float2bfloat16_rn(value);
}

// kCount elements that lie together, and at a multiple of their size.
template <class T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
    T values[kCount];
};

template <class T>
constexpr int kWhole = 16 / static_cast<int>(sizeof(T));  // elements of 16 bytes

template <int kCount, class T>
__device__ Pack<T, kCount> load_pack(const T* at) {
    return *reinterpret_cast<const Pack<T, kCount>*>(at);
}
template <int kCount, class T>
__device__ void store_pack(T* at, const Pack<T, kCount>& pack) {
    *reinterpret_cast<Pack<T, kCount>*>(at) = pack;
}

MIEN_HD bool aligned(const void* pointer, size_t bytes) {
    return reinterpret_cast<uintptr_t>(pointer) % bytes == 0;
}

// kPixels neighbouring pixels of up to four bytes, that one thread handles: stored as whole words where all are there.
constexpr int kPixels = 4;

template <int C>
struct Quad {
    uint8_t values[kPixels * C];
};

template <int C>
__device__ void load_quad(const uint8_t* at, int count, Quad<C>& quad) {
    if (count == kPixels && aligned(at, 4)) {
#pragma unroll
        for (int word = 0; word < C; ++word) {
            const uint32_t bytes = reinterpret_cast<const uint32_t*>(at)[word];
#pragma unroll
            for (int i = 0; i < 4; ++i)
                quad.values[word * 4 + i] = static_cast<uint8_t>(bytes >> (8 * i));
        }
        return;
    }
#pragma unroll
    for (int i = 0; i < kPixels * C; ++i)
        quad.values[i] = i < count * C ? at[i] : uint8_t{0};
}

template <int C>
__device__ void store_quad(uint8_t* at, int count, const Quad<C>& quad) {
    if (count == kPixels && aligned(at, 4)) {
#pragma unroll
        for (int word = 0; word < C; ++word) {
            const uint8_t* v = quad.values + word * 4;
            const uint32_t bytes = v[0] | v[1] << 8 | v[2] << 16 | static_cast<uint32_t>(v[3]) << 24;
            reinterpret_cast<uint32_t*>(at)[word] = bytes;
        }
        return;
    }
#pragma unroll
    for (int i = 0; i < kPixels * C; ++i)
        if (i < count * C) at[i] = quad.values[i];
}

// Calls body(T{}) for the element type that stands in a params struct.
template <class Body>
Status for_float_type(Type type, const Body& body) {
    if (type == Type::f16) return body(__half{});
    if (type == Type::bf16) return body(__nv_bfloat16{});
    if (type == Type::f32) return body(float{});
    return cudaErrorInvalidValue;
}

}  // namespace mien::cuda
