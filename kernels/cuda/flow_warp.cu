#include "cuda/field.h"
#include "cuda/ops.h"
#include "cuda/taps.h"
#include "mien/flow_warp.h"

namespace mien::cuda {
namespace {

// What a thread needs of its item of the batch.
template <class T>
struct Item {
    const T* source;
    Field field;
    T* out;
};

template <class T>
__device__ Item<T> item_of(const FlowWarp& p, Field field) {
    const int64_t index = blockIdx.y;
    field.values += index * p.flow_height * p.flow_width * 2;
    return {static_cast<const T*>(p.source) + index * p.height * p.width * p.channels, field,
            static_cast<T*>(p.out) + index * p.out_height * p.out_width * p.channels};
}

__device__ Taps taps_of(const FlowWarp& p, const Field& field, int32_t pixel) {
    const int32_t y = pixel / p.out_width;
    const Read<2> at = read_field<2>(field, y, pixel - y * p.out_width);
    return taps_at(at.values[0], at.values[1], p.height, p.width, p.channels, p.padding);
}

template <int kCount, class T>
__device__ Pack<T, kCount> neighbour(const T* source, int32_t offset, int32_t channel) {
    if (offset >= 0) return load_pack<kCount>(source + offset + channel);
    Pack<T, kCount> nothing = {};
    return nothing;
}

// kCount channels of one pixel.
template <int kCount, class T>
__device__ Pack<T, kCount> warped(const T* source, const Taps& taps, int32_t channel) {
    const Pack<T, kCount> top_left = neighbour<kCount>(source, taps.top_left, channel);
    const Pack<T, kCount> top_right = neighbour<kCount>(source, taps.top_right, channel);
    const Pack<T, kCount> bottom_left = neighbour<kCount>(source, taps.bottom_left, channel);
    const Pack<T, kCount> bottom_right = neighbour<kCount>(source, taps.bottom_right, channel);
    Pack<T, kCount> out;
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
        const float value =
            bilinear(to_float(top_left.values[i]), to_float(top_right.values[i]), to_float(bottom_left.values[i]),
                     to_float(bottom_right.values[i]), taps.across, taps.down);
        out.values[i] = from_float<T>(value);
    }
    return out;
}

// Channels last: kCount channels of a pixel per thread, neighbours read and write neighbours.
template <class T, int kCount>
__global__ void __launch_bounds__(kThreads) warp_channels(FlowWarp p, Field field) {
    const int32_t groups = p.channels / kCount;
    const int64_t index = work_index();
    if (index >= static_cast<int64_t>(p.out_height) * p.out_width * groups) return;
    const Item<T> item = item_of<T>(p, field);
    const int32_t pixel = static_cast<int32_t>(index) / groups;
    const int32_t channel = (static_cast<int32_t>(index) - pixel * groups) * kCount;
    const Taps taps = taps_of(p, item.field, pixel);
    store_pack<kCount>(item.out + static_cast<int64_t>(pixel) * p.channels + channel,
                       warped<kCount>(item.source, taps, channel));
}

// Pictures: kPixels pixels per thread, written as whole words.
template <int C>
__global__ void __launch_bounds__(kThreads) warp_picture(FlowWarp p, Field field) {
    const int64_t first = work_index() * kPixels;
    const int64_t left = static_cast<int64_t>(p.out_height) * p.out_width - first;
    if (left <= 0) return;
    const int count = static_cast<int>(lesser<int64_t>(left, kPixels));
    const Item<uint8_t> item = item_of<uint8_t>(p, field);
    Quad<C> quad = {};
#pragma unroll
    for (int i = 0; i < kPixels; ++i) {
        if (i >= count) break;
        const Taps taps = taps_of(p, item.field, static_cast<int32_t>(first) + i);
#pragma unroll
        for (int c = 0; c < C; ++c)
            quad.values[i * C + c] = grey_level(tapped(item.source, taps, c));
    }
    store_quad<C>(item.out + first * C, count, quad);
}

// Any number of channels into planes.
template <class T>
__global__ void __launch_bounds__(kThreads) warp_to_planes_plainly(FlowWarp p, Field field) {
    const int64_t pixels = static_cast<int64_t>(p.out_height) * p.out_width;
    const int64_t index = work_index();
    if (index >= pixels * p.channels) return;
    const Item<T> item = item_of<T>(p, field);
    const int32_t channel = static_cast<int32_t>(index / pixels);
    const Taps taps = taps_of(p, item.field, static_cast<int32_t>(index - channel * pixels));
    item.out[index] = from_float<T>(tapped(item.source, taps, channel));
}

constexpr int kGroups = 8;  // of kWhole pixels, in a tile

// A tile of channels by pixels on its way into planes. Groups of kWhole pixels are swapped by the row that they lie in,
// so that neither its writers nor its readers meet in one bank.
template <class T>
struct Turned {
    static constexpr int kRows = kThreads / kGroups;      // channels
    static constexpr int kColumns = kGroups * kWhole<T>;  // pixels
    static constexpr int kPacks = kRows / kWhole<T>;      // of channels
    static_assert(kColumns * kPacks == kThreads, "every thread brings one pack of channels and takes one of pixels");

    Pack<T, kWhole<T>> cells[kRows][kGroups];

    __device__ Pack<T, kWhole<T>>& group(int row, int index) { return cells[row][index ^ (row / kWhole<T>)]; }
};

// Into planes: a block reads kWhole channels of a pixel per thread and writes kWhole pixels of a channel.
template <class T>
__global__ void __launch_bounds__(kThreads) warp_to_planes(FlowWarp p, Field field) {
    typedef Turned<T> Tile;
    __shared__ Tile tile;
    const int thread = static_cast<int>(threadIdx.x);
    const int32_t pixels = p.out_height * p.out_width;
    const int32_t blocks = (p.channels + Tile::kRows - 1) / Tile::kRows;
    const int32_t block = static_cast<int32_t>(blockIdx.x);
    const int32_t first_pixel = block / blocks * Tile::kColumns;
    const int32_t first_channel = block % blocks * Tile::kRows;
    const Item<T> item = item_of<T>(p, field);

    const int column = thread / Tile::kPacks;
    const int row = thread % Tile::kPacks * kWhole<T>;
    if (first_pixel + column < pixels && first_channel + row < p.channels) {
        const Taps taps = taps_of(p, item.field, first_pixel + column);
        const Pack<T, kWhole<T>> pack = warped<kWhole<T>>(item.source, taps, first_channel + row);
#pragma unroll
        for (int i = 0; i < kWhole<T>; ++i)
            tile.group(row + i, column / kWhole<T>).values[column % kWhole<T>] = pack.values[i];
    }
    __syncthreads();

    const int32_t channel = first_channel + thread / kGroups;
    const int32_t pixel = first_pixel + thread % kGroups * kWhole<T>;
    if (channel >= p.channels || pixel >= pixels) return;
    store_pack<kWhole<T>>(item.out + static_cast<int64_t>(channel) * pixels + pixel,
                          tile.group(thread / kGroups, thread % kGroups));
}

struct Work {
    const FlowWarp& p;
    Field field;
    int32_t batch;
    int64_t pixels;
    Stream stream;
};

template <class T>
bool whole(const FlowWarp& p) {
    return p.channels % kWhole<T> == 0 && aligned(p.source, 16) && aligned(p.out, 16);
}

template <class T, int kCount>
Status channels_of(const Work& w) {
    return launch_for_batch(w.pixels * (w.p.channels / kCount), w.batch, warp_channels<T, kCount>, w.stream, w.p,
                            w.field);
}

template <class T>
Status planes_of(const Work& w) {
    if (!whole<T>(w.p) || w.pixels % kWhole<T> != 0) {
        return launch_for_batch(w.pixels * w.p.channels, w.batch, warp_to_planes_plainly<T>, w.stream, w.p, w.field);
    }
    const int64_t columns = (w.pixels + Turned<T>::kColumns - 1) / Turned<T>::kColumns;
    const int64_t rows = (w.p.channels + Turned<T>::kRows - 1) / Turned<T>::kRows;
    return launch_for_batch(columns * rows * kThreads, w.batch, warp_to_planes<T>, w.stream, w.p, w.field);
}

template <class T>
Status features_of(const Work& w, Layout layout) {
    if (layout == Layout::nchw) return planes_of<T>(w);
    return whole<T>(w.p) ? channels_of<T, kWhole<T>>(w) : channels_of<T, 1>(w);
}

Status picture_of(const Work& w, Layout layout) {
    const int64_t quads = (w.pixels + kPixels - 1) / kPixels;
    if (w.p.channels == 1) return launch_for_batch(quads, w.batch, warp_picture<1>, w.stream, w.p, w.field);
    if (layout == Layout::nchw)
        return launch_for_batch(w.pixels * w.p.channels, w.batch, warp_to_planes_plainly<uint8_t>, w.stream, w.p,
                                w.field);
    if (w.p.channels == 3) return launch_for_batch(quads, w.batch, warp_picture<3>, w.stream, w.p, w.field);
    if (w.p.channels == 4) return launch_for_batch(quads, w.batch, warp_picture<4>, w.stream, w.p, w.field);
    return channels_of<uint8_t, 1>(w);
}

}  // namespace

Status flow_warp(const FlowWarp& p, int32_t batch, Stream stream) {
    const Work work = {p, field_of(p.flow, p.flow_height, p.flow_width, p.out_height, p.out_width), batch,
                       static_cast<int64_t>(p.out_height) * p.out_width, stream};
    if (p.channels == 0 || work.pixels == 0) return cudaSuccess;
    if (p.type == Type::u8) return picture_of(work, p.layout);
    return for_float_type(p.type, [&](auto kind) { return features_of<decltype(kind)>(work, p.layout); });
}

}  // namespace mien::cuda
