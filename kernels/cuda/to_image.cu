#include "cuda/element.h"
#include "cuda/ops.h"
#include "mien/to_image.h"

namespace mien::cuda {
namespace {

// Channels last: elements stay in their order.
template <class T, int kCount>
__global__ void __launch_bounds__(kThreads) to_image_in_order(ToImage p, int64_t elements) {
    const int64_t start = work_index() * kCount;
    if (start >= elements) return;
    const Pack<T, kCount> values = load_pack<kCount>(reinterpret_cast<const T*>(p.tensor) + start);
    Pack<uint8_t, kCount> out;
#pragma unroll
    for (int i = 0; i < kCount; ++i)
        out.values[i] = image_element(to_float(values.values[i]), p.scale, p.bias);
    store_pack<kCount>(p.out + start, out);
}

// Planes of channels: kCount neighbours of every plane become pixels.
template <class T, int C, int kCount>
__global__ void __launch_bounds__(kThreads) to_image_interleaved(ToImage p, int64_t pixels) {
    const int64_t start = work_index() * kCount;
    if (start >= pixels) return;
    const T* tensor = reinterpret_cast<const T*>(p.tensor) + start;
    uint8_t levels[kCount * C];
#pragma unroll
    for (int c = 0; c < C; ++c) {
        const Pack<T, kCount> values = load_pack<kCount>(tensor + c * pixels);
#pragma unroll
        for (int i = 0; i < kCount; ++i)
            levels[i * C + c] = image_element(to_float(values.values[i]), p.scale, p.bias);
    }
    if constexpr (kCount == kPixels) {
        Quad<C> quad;
#pragma unroll
        for (int i = 0; i < kCount * C; ++i)
            quad.values[i] = levels[i];
        store_quad<C>(p.out + start * C, kCount, quad);
    } else {
#pragma unroll
        for (int i = 0; i < kCount * C; ++i)
            p.out[start * C + i] = levels[i];
    }
}

// Any number of channels.
template <class T>
__global__ void __launch_bounds__(kThreads) to_image_plainly(ToImage p, int64_t pixels) {
    const int64_t index = work_index();
    if (index >= pixels * p.channels) return;
    const int64_t pixel = index / p.channels;
    const int64_t channel = index - pixel * p.channels;
    const T value = reinterpret_cast<const T*>(p.tensor)[channel * pixels + pixel];
    p.out[index] = image_element(to_float(value), p.scale, p.bias);
}

template <class T>
Status image_of(const ToImage& p, Stream stream) {
    const int64_t pixels = static_cast<int64_t>(p.height) * p.width;
    const int64_t elements = pixels * p.channels;
    if (p.layout == Layout::nhwc) {
        const bool whole = elements % kWhole<T> == 0 && aligned(p.tensor, 16) && aligned(p.out, kWhole<T>);
        if (whole) return launch_for(elements / kWhole<T>, to_image_in_order<T, kWhole<T>>, stream, p, elements);
        return launch_for(elements, to_image_in_order<T, 1>, stream, p, elements);
    }
    if (p.channels != 3) return launch_for(elements, to_image_plainly<T>, stream, p, pixels);
    const bool whole = pixels % kPixels == 0 && aligned(p.tensor, kPixels * sizeof(T));
    if (whole) return launch_for(pixels / kPixels, to_image_interleaved<T, 3, kPixels>, stream, p, pixels);
    return launch_for(pixels, to_image_interleaved<T, 3, 1>, stream, p, pixels);
}

}  // namespace

Status to_image(const ToImage& p, Type type, Stream stream) {
    return for_float_type(type, [&](auto kind) { return image_of<decltype(kind)>(p, stream); });
}

}  // namespace mien::cuda
